/** The shapes in which bytes and rows may be handed over, brought down to one each. */
import { ClmError, invalid, isClmError, throwIfAborted } from "./errors.js";
import type { Row } from "./rows.js";
import { orAborted } from "./run.js";

/** Bytes. A stream can be read once; everything else again. */
export type ByteSource = Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array>;
/** Rows. An iterable or stream is read once, and only as fast as the package grows. */
export type RowSource = Iterable<Row> | AsyncIterable<Row> | ReadableStream<Row>;

/** Most bytes that are held of a stream, by default: 64 MiB. */
export const SPOOL: number = 64 * 1024 * 1024;

/**
 * All bytes of the source. `what` names it in errors; at most `spool` bytes are taken from a stream.
 * @throws {ClmError} INVALID_ARGUMENT for anything else than a ByteSource, PACKAGE_LIMIT, ABORTED
 */
export async function readAll(source: unknown, what: string, signal?: AbortSignal, spool = SPOOL): Promise<Uint8Array> {
  throwIfAborted(signal);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (isArrayBuffer(source)) return new Uint8Array(source);
  if (isBlob(source)) {
    const bytes = source.arrayBuffer().catch((e: unknown) => {
      throw failed(what, e);
    });
    return new Uint8Array(await orAborted(bytes, signal));
  }
  if (!isStream(source)) {
    throw invalid(`${what} is no source of bytes`, {
      hint: "Give a Uint8Array, ArrayBuffer, Blob or ReadableStream of bytes.",
    });
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  const puller = new Puller<unknown>(source, what, signal);
  try {
    for (let step = await puller.next(); !step.done; step = await puller.next()) {
      const part = step.value;
      if (!ArrayBuffer.isView(part)) throw invalid(`${what} is a stream of something else than bytes`);
      const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      size += bytes.length;
      if (size > spool) {
        throw new ClmError("PACKAGE_LIMIT", `${what} is a stream of more than ${spool} bytes (${size} so far)`, {
          hint: "Hand over a Blob or the bytes, or raise `limits.spool`.",
        });
      }
      parts.push(bytes);
    }
  } finally {
    await puller.close();
  }
  return concat(parts, size);
}

/** Takes one value after another from any kind of row source; waits only where the source does. */
export class Puller<T> {
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #next: () => IteratorResult<T> | Promise<IteratorResult<T>>;
  readonly #end: () => unknown;
  #pending = false;
  #over = false;

  /** @throws {ClmError} INVALID_ARGUMENT for anything else than a RowSource. */
  constructor(source: unknown, what: string, signal?: AbortSignal) {
    this.#what = what;
    this.#signal = signal;
    if (isStream(source)) {
      const reader = (source as ReadableStream<T>).getReader();
      this.#next = () => reader.read() as Promise<IteratorResult<T>>;
      this.#end = () => reader.cancel();
      return;
    }
    const iterator = iteratorOf<T>(source);
    if (!iterator) {
      throw invalid(`${what} can't be iterated`, {
        hint: "Give an array, an iterable, an async iterable or a ReadableStream.",
      });
    }
    this.#next = () => iterator.next();
    this.#end = () => iterator.return?.();
  }

  /** @throws {ClmError} ABORTED; INVALID_ARGUMENT with the source's own error as cause. */
  next(): IteratorResult<T> | Promise<IteratorResult<T>> {
    let step: IteratorResult<T> | Promise<IteratorResult<T>>;
    try {
      step = this.#next();
    } catch (e) {
      throw this.#failed(e);
    }
    return isPromise(step) ? this.#settle(step) : this.#note(step);
  }

  /** Tells a source that was not read to its end that no more is wanted. */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    try {
      const ended = this.#end();
      // A generator that hangs in its next value would keep us waiting for its end.
      if (this.#pending) Promise.resolve(ended).catch(() => {});
      else await ended;
    } catch {
      // The reason for stopping is what counts.
    }
  }

  async #settle(step: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> {
    this.#pending = true;
    let result: IteratorResult<T>;
    try {
      result = await orAborted(step, this.#signal);
    } catch (e) {
      throw this.#signal?.aborted ? e : this.#failed(e);
    }
    this.#pending = false;
    return this.#note(result);
  }

  #note(result: IteratorResult<T>): IteratorResult<T> {
    if (typeof result !== "object" || result === null)
      throw this.#failed(new TypeError("next() gave no result object"));
    if (result.done) this.#over = true;
    return result;
  }

  #failed(e: unknown): unknown {
    this.#over = true;
    return isClmError(e) ? e : failed(this.#what, e);
  }
}

function failed(what: string, cause: unknown): ClmError {
  return invalid(`${what} failed while it was read`, { cause, hint: "`cause` is what it threw." });
}

function iteratorOf<T>(source: unknown): Iterator<T> | AsyncIterator<T> | undefined {
  if (typeof source !== "object" || source === null) return undefined;
  const { [Symbol.asyncIterator]: many, [Symbol.iterator]: one } = source as Partial<AsyncIterable<T> & Iterable<T>>;
  return many?.call(source) ?? one?.call(source);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null)?.then === "function";
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

function isBlob(value: unknown): value is Blob {
  return typeof Blob === "function" && value instanceof Blob;
}

/** By shape: pages and polyfills have streams of other realms. */
function isStream(value: unknown): value is ReadableStream<unknown> {
  return typeof (value as { getReader?: unknown } | null)?.getReader === "function";
}

/** Whether it is bytes in one of the accepted shapes. */
export function isByteSource(value: unknown): value is ByteSource {
  return ArrayBuffer.isView(value) || isArrayBuffer(value) || isBlob(value) || isStream(value);
}

/** All parts in one. */
export function concat(
  parts: Uint8Array[],
  size: number = parts.reduce((sum, part) => sum + part.length, 0),
): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
