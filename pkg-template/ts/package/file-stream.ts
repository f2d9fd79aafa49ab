/** An entry of a package as a byte stream: one copy, from the module's memory into the reader's buffer. */
import { Handle } from "../handle.js";
import { Step, type WireFileCursor } from "../wire.js";
import type { Opened } from "./data-package.js";
import { Feed } from "./feed.js";

/** Bytes of a piece for a reader that brings no buffer: 256 KiB. */
const PIECE = 256 * 1024;

/** Opens the entry when the first byte is asked for. */
export function fileStream(opened: Opened, name: string): ReadableStream<Uint8Array> {
  let source: EntryReader | undefined;
  return new ReadableStream({
    type: "bytes",
    pull(controller: ReadableByteStreamController) {
      try {
        source ??= new EntryReader(opened, name);
        const more = fill(source, controller);
        if (!(more instanceof Promise)) return;
        return more.catch((e) => {
          source?.close();
          throw e;
        });
      } catch (e) {
        source?.close();
        throw e;
      }
    },
    cancel() {
      source?.close();
    },
  });
}

/** Serves one request; a promise only where bytes have to be waited for. */
function fill(source: EntryReader, controller: ReadableByteStreamController): void | Promise<void> {
  const request = controller.byobRequest;
  const view = request?.view as Uint8Array<ArrayBuffer> | null | undefined;
  let filled = 0;
  while (true) {
    const step = source.step(view ? view.byteLength - filled : PIECE);
    if (step === Step.has) {
      if (!view) {
        controller.enqueue(source.take(Number.POSITIVE_INFINITY).slice());
        return;
      }
      const piece = source.take(view.byteLength - filled);
      new Uint8Array(view.buffer, view.byteOffset + filled, piece.length).set(piece);
      filled += piece.length;
      if (filled < view.byteLength) continue;
      request?.respond(filled);
      return;
    }
    if (step === Step.end) {
      // What was filled is all there is; the end is told at the next call.
      if (filled > 0) {
        request?.respond(filled);
        return;
      }
      source.close();
      controller.close();
      request?.respond(0);
      return;
    }
    const given = source.serve();
    if (given instanceof Promise && filled > 0) {
      // The reader need not wait for what it has, nor the stream for its reader.
      request?.respond(filled);
      return given.then(() => {});
    }
    if (given instanceof Promise) return given.then(() => fill(source, controller));
  }
}

class EntryReader {
  readonly #opened: Opened;
  readonly #cursor: Handle<WireFileCursor>;
  readonly #feed: Feed;
  #wants = false;
  /** What was taken of the present piece, and its length. */
  #at = 0;
  #length = 0;

  constructor(opened: Opened, name: string) {
    const { loader, reader, access } = opened;
    this.#opened = opened;
    this.#cursor = reader.use((r) => new Handle<WireFileCursor>(loader, "the package", () => r.file(name)));
    this.#feed = new Feed(access, opened.compressedSize(name), reader.closing);
  }

  /** Goes on to a piece of about `least` bytes, where the present one is used up. Nothing moves on while bytes are wanted. */
  step(least: number): Step {
    // The cursor may outlive the package in the module; for the caller it does not.
    this.#opened.reader.use(() => {});
    if (this.#at < this.#length) return Step.has;
    if (this.#wants) return Step.wants;
    return this.#cursor.use((c) => {
      const step = c.next(least);
      this.#wants = step === Step.wants;
      this.#at = 0;
      this.#length = step === Step.has ? c.length : 0;
      return step;
    });
  }

  /** Up to `most` bytes of the piece: a view that is good until the next step. */
  take(most: number): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#opened.loader.current().wasmMemory();
    const length = Math.min(most, this.#length - this.#at);
    const view = this.#cursor.use((c) => new Uint8Array(buffer as ArrayBuffer, c.ptr + this.#at, length));
    this.#at += length;
    return view;
  }

  serve(): boolean | Promise<boolean> {
    const given = this.#feed.serve(this.#cursor);
    if (!(given instanceof Promise)) {
      this.#wants = false;
      return given;
    }
    return given.then((served) => {
      this.#wants = false;
      return served;
    });
  }

  close(): void {
    this.#feed.close();
    this.#cursor.dispose();
  }
}
