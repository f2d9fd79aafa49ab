/** Bytes that are made piece by piece, as one array or as a stream. */
import { invalid } from "../errors.js";
import { linkSignals } from "../run.js";
import { concat } from "./sources.js";

const PIECE = 256 * 1024;

/** All pieces as one. */
export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    parts.push(piece);
    size += piece.length;
  }
  return concat(parts, size);
}

/** Bytes at hand, in pieces of at most 256 KiB. */
export async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.slice(at, at + PIECE);
}

/**
 * The pieces as a byte stream, made only as fast as they are read. When the stream is cancelled, the signal that `make` got fires
 * and the generator is ended. `failed` is told of whatever keeps the stream from its end.
 */
export function streamFrom(
  make: (signal: AbortSignal) => AsyncGenerator<Uint8Array, void, undefined>,
  signal?: AbortSignal,
  failed?: (e: unknown) => void,
): ReadableStream<Uint8Array> {
  const cancelled = new AbortController();
  const linked = linkSignals(signal, cancelled.signal);
  let pieces: AsyncGenerator<Uint8Array, void, undefined> | undefined;
  return new ReadableStream({
    type: "bytes",
    async pull(controller: ReadableByteStreamController) {
      try {
        pieces ??= make(linked.signal);
        let step = await pieces.next();
        while (!step.done && step.value.length === 0) step = await pieces.next();
        if (!step.done) {
          controller.enqueue(step.value as Uint8Array<ArrayBuffer>);
          return;
        }
        linked.unlink();
        controller.close();
        controller.byobRequest?.respond(0);
      } catch (e) {
        linked.unlink();
        failed?.(e);
        throw e;
      }
    },
    async cancel(reason) {
      failed?.(invalid("the stream was cancelled", { cause: reason }));
      cancelled.abort(reason);
      linked.unlink();
      // It ends by the signal, or had not begun.
      await pieces?.return().catch(() => {});
    },
  });
}
