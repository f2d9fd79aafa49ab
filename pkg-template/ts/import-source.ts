/** The bytes of an import, read in order, and from the beginning again where that is possible. */
import { ClmError, invalid, isClmError } from "./errors.js";
import type { DataPackage } from "./package/data-package.js";
import { type ByteSource, isByteSource, Pieces } from "./package/sources.js";
import type { PackageSpec } from "./package/spec.js";
import { openPackage, packageStream } from "./packages.js";

/** A package, or what to build it from. A factory, Blob, bytes or spec with factories can be read again on resume; a stream can't. */
export type ImportSource = ByteSource | PackageSpec | (() => ByteSource | PackageSpec);

export class SourceReader {
  readonly #source: ImportSource;
  readonly #signal: AbortSignal;
  #given: ByteSource | PackageSpec | undefined;
  #pieces: Pieces | undefined;
  #rest = new Uint8Array();
  /** Bytes handed out. */
  #at = 0;

  constructor(source: ImportSource, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /**
   * Looks into a package at hand, so that what the service would refuse after minutes is refused at once; gives its length where
   * that is known.
   * @throws {ClmError} as of `openPackage`
   */
  async check(): Promise<number | undefined> {
    const given = await this.#take();
    if (isStream(given) || !isByteSource(given)) return undefined;
    const opened = await openPackage(given, { signal: this.#signal });
    opened.dispose();
    return given instanceof Blob ? given.size : given.byteLength;
  }

  /** Fewer bytes than asked for only at the end. */
  async read(start: number, end: number): Promise<Uint8Array> {
    if (start < this.#at) await this.#rewind();
    if (start !== this.#at) throw invalid("the source of the import is read in order");
    if (!this.#pieces) {
      const given = await this.#take();
      const bytes = isByteSource(given) ? given : packageStream(given, { signal: this.#signal });
      this.#pieces = new Pieces(bytes, "the source of the import", this.#signal);
    }
    const out = new Uint8Array(end - start);
    let filled = 0;
    while (filled < out.length) {
      if (this.#rest.length === 0) {
        const piece = await this.#pieces.next();
        if (!piece) break;
        this.#rest = piece as Uint8Array<ArrayBuffer>;
      }
      const part = this.#rest.subarray(0, out.length - filled);
      out.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    this.#at = start + filled;
    return filled === out.length ? out : out.subarray(0, filled);
  }

  /** Frees what is open. */
  async close(): Promise<void> {
    await this.#pieces?.close();
    this.#pieces = undefined;
  }

  async #take(): Promise<ByteSource | PackageSpec> {
    if (this.#given !== undefined) return this.#given;
    try {
      this.#given = typeof this.#source === "function" ? await this.#source() : this.#source;
    } catch (e) {
      throw isClmError(e) ? e : invalid("the source of the import failed", { cause: e });
    }
    if (typeof this.#given !== "object" || this.#given === null) {
      throw invalid("an import needs a source", { hint: "Give the bytes of a package, a Blob, a stream, or a spec." });
    }
    return this.#given;
  }

  async #rewind(): Promise<void> {
    await this.close();
    if (typeof this.#source === "function") this.#given = undefined;
    else if (!isRereadable(this.#source)) {
      throw new ClmError("SOURCE_REQUIRED", "the package has to be read again, and its source can be read only once", {
        hint: "Hand over a Blob, the bytes, or a function that gives the source anew each time.",
      });
    }
    this.#rest = new Uint8Array();
    this.#at = 0;
  }
}

/**
 * The source once more as a package; undefined where it can be read only once, and where it is a spec whose package is larger than
 * what `openPackage` keeps of a stream.
 */
export async function openAgain(source: ImportSource, signal?: AbortSignal): Promise<DataPackage | undefined> {
  const given = typeof source === "function" ? await source() : source;
  if (typeof source !== "function" && !isRereadable(given)) return undefined;
  try {
    return await openPackage(isByteSource(given) ? given : packageStream(given, { signal }), { signal });
  } catch (e) {
    if (isClmError(e) && e.code === "PACKAGE_LIMIT") return undefined;
    throw e;
  }
}

function isStream(source: unknown): source is ReadableStream {
  return typeof (source as { getReader?: unknown })?.getReader === "function";
}

/** Whether a second reading gives the same bytes. */
function isRereadable(source: ByteSource | PackageSpec): boolean {
  if (isStream(source)) return false;
  if (isByteSource(source)) return true;
  const entities = Array.isArray(source.entities) ? source.entities : [];
  const files = Array.isArray(source.files) ? source.files : [];
  return (
    entities.every(
      ({ rows, data }) => (!rows || Array.isArray(rows) || typeof rows === "function") && !isStream(data),
    ) && files.every(({ data }) => !isStream(data))
  );
}
