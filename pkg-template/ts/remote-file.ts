/** A file that the service hands out, read range by range as it is wanted. */
import { Handle } from "./handle.js";
import { loader } from "./init.js";
import type { PackageSource } from "./package/access.js";
import { piecesOf, streamFrom } from "./package/bytes-out.js";
import type { WireClient, WireFile } from "./wire.js";

/** Bytes of one range: 4 MiB. */
const RANGE = 4 * 1024 * 1024;

/** The client's handle: with its end everything that was read by it ends too. */
export type WithFiles = () => Promise<Handle<WireClient>>;

export class RemoteFile {
  readonly #client: Handle<WireClient>;
  readonly #file: Handle<WireFile>;
  /** The beginning; all of the file where it is short, or where the server knows no ranges. */
  #first: Uint8Array = new Uint8Array();
  #whole = false;
  #size: number | undefined;

  private constructor(client: Handle<WireClient>, file: Handle<WireFile>) {
    this.#client = client;
    this.#file = file;
  }

  /** Reads the first range. `what` names the file in errors. */
  static async open(client: WithFiles, make: () => WireFile, what: string, signal?: AbortSignal): Promise<RemoteFile> {
    const file = new RemoteFile(await client(), new Handle<WireFile>(loader, what, make));
    try {
      file.#first = await file.#read(0, RANGE, signal);
      [file.#whole, file.#size] = file.#file.use((f) => [f.whole, f.size]);
      return file;
    } catch (e) {
      file.dispose();
      throw e;
    }
  }

  /** Whether it begins like a zip. */
  get isZip(): boolean {
    return [0x50, 0x4b, 0x03, 0x04].every((byte, index) => this.#first[index] === byte);
  }

  /** From the beginning; may be called again. `last`: the file is disposed of with the stream. */
  stream(signal?: AbortSignal, last = false): ReadableStream<Uint8Array> {
    return streamFrom((s) => this.#pieces(s, last), signal);
  }

  /** The file as something of which any part can be read, where the server allows it. */
  source(): PackageSource {
    if (this.#whole) return this.#first;
    const size = this.#size;
    if (size === undefined) return this.stream();
    return {
      size,
      read: async (start, end, signal) =>
        end <= this.#first.length ? this.#first.slice(start, end) : this.#read(start, end, signal),
    };
  }

  dispose(): void {
    this.#file.dispose();
  }

  async *#pieces(signal: AbortSignal, last: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* piecesOf(this.#first);
      let at = this.#first.length;
      while (!this.#whole && at < (this.#size ?? Number.POSITIVE_INFINITY)) {
        const end = Math.min(at + RANGE, this.#size ?? Number.POSITIVE_INFINITY);
        const piece = await this.#read(at, end, signal);
        // Before the piece is handed on: its buffer goes with it.
        at += piece.length;
        // Where the size is not to be seen, a short range is the last one; elsewhere the module refuses it.
        const over = at < end;
        if (piece.length > 0) yield piece;
        if (over) return;
      }
    } finally {
      if (last) this.dispose();
    }
  }

  #read(start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    // The client's handle ends the wait when the client is disposed of.
    return this.#client.useAsync(signal, (_, s) => this.#file.useAsync(s, (f, both) => f.read(start, end, both)));
  }
}
