/** The shapes in which a package may be handed over to be opened, brought down to one: ranges of bytes. */
import { ClmError, invalid, isClmError, throwIfAborted } from "../errors.js";
import { orAborted } from "../run.js";
import type { Limits } from "./limits.js";
import { type ByteSource, isBlob, isByteSource, isStream, readAll, viewOf } from "./sources.js";
import { openUrl } from "./url.js";

/** Something `size` bytes long, of which any part can be read. `read(start, end)` gives the bytes [start, end). */
export interface RandomAccess {
  size: number;
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** What a package can be opened from. */
export type PackageSource = ByteSource | Response | URL | RandomAccess;

/** The same within: bytes at hand need no waiting. */
export interface Access {
  readonly size: number;
  /** Whether everything is in memory already. */
  readonly held: boolean;
  read(start: number, end: number, signal: AbortSignal): Uint8Array | Promise<Uint8Array>;
}

/**
 * @throws {ClmError} INVALID_ARGUMENT for anything else than a PackageSource, PACKAGE_LIMIT for too long a stream, ABORTED; of a URL
 * NETWORK or CORS_OR_NETWORK, NOT_FOUND, FORBIDDEN, SERVICE_ERROR
 */
export async function accessTo(
  source: unknown,
  options: { signal?: AbortSignal; limits?: Limits; fetch?: typeof fetch },
): Promise<Access> {
  const { signal, limits } = options;
  throwIfAborted(signal);
  const spooled = async (stream: unknown): Promise<Access> =>
    held(await readAll(stream, "the package", signal, limits?.spool));
  if (isBlob(source)) return ofBlob(source);
  if (isStream(source)) return spooled(source);
  if (isByteSource(source)) return held(viewOf(source as Uint8Array | ArrayBuffer));
  if (source instanceof URL) return openUrl(source, options.fetch ?? fetch, spooled, signal);
  if (isResponse(source)) {
    const { body, ok, status } = source;
    if (!ok) throw invalid(`the response has status ${status}: it is not the package`, { status });
    return body ? spooled(body) : held(new Uint8Array());
  }
  if (isRandomAccess(source)) return ofCaller(source);
  throw invalid("this is nothing that a package can be opened from", {
    hint: "Give a Uint8Array, ArrayBuffer, Blob, File, URL, Response, ReadableStream, or a RandomAccess with size and read(start, end).",
  });
}

function held(bytes: Uint8Array): Access {
  return { size: bytes.length, held: true, read: (start, end) => bytes.subarray(start, end) };
}

function ofBlob(blob: Blob): Access {
  return {
    size: blob.size,
    held: false,
    async read(start, end, signal) {
      try {
        return new Uint8Array(await orAborted(blob.slice(start, end).arrayBuffer(), signal));
      } catch (e) {
        if (isClmError(e)) throw e;
        // A File whose file was written to can't be read any more.
        throw new ClmError("PACKAGE_CORRUPT", "the file changed while it was read, or can't be read", {
          cause: e,
          hint: "Choose the file again, and let nobody write to it meanwhile.",
        });
      }
    },
  };
}

function ofCaller(source: RandomAccess): Access {
  const { size } = source;
  if (!Number.isSafeInteger(size) || size < 0) {
    throw invalid(`\`size\` of the source is ${String(size)}; it must be the number of its bytes`);
  }
  return {
    size,
    held: false,
    async read(start, end, signal) {
      let bytes: unknown;
      try {
        bytes = await orAborted(Promise.resolve(source.read(start, end, signal)), signal);
      } catch (e) {
        if (isClmError(e)) throw e;
        throw invalid("the source of the package failed while it was read", {
          cause: e,
          hint: "`cause` is what `read` threw.",
        });
      }
      if (!ArrayBuffer.isView(bytes)) throw invalid("`read` of the source gave no Uint8Array");
      return viewOf(bytes as Uint8Array);
    },
  };
}

/** By shape: `instanceof` fails for another realm's. */
function isResponse(value: unknown): value is Response {
  return typeof (value as Partial<Response> | null)?.status === "number" && "body" in (value as object);
}

function isRandomAccess(value: unknown): value is RandomAccess {
  return typeof (value as Partial<RandomAccess> | null)?.read === "function";
}
