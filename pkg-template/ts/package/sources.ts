/** The shapes in which bytes and rows may be handed over, brought down to one each. */
import { ClmError, invalid, isClmError, throwIfAborted } from "../errors.js";
import { orAborted } from "../run.js";
import type { Row } from "./cells.js";
import { DEFAULT_SPOOL } from "./limits.js";

/** Bytes. A stream can be read once; everything else again. */
export type ByteSource = Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array>;
/** Rows. An iterable or stream is read once, and only as fast as the package grows. */
export type RowSource = Iterable<Row> | AsyncIterable<Row> | ReadableStream<Row>;

/** Bytes that are handed on at once: 256 KiB. */
const PIECE = 256 * 1024;

/** The bytes of the source in pieces of at most 256 KiB. `what` names it in errors. Read it to its end, or close it. */
export class Pieces {
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #puller: Puller<unknown> | undefined;
  readonly #blob: Blob | undefined;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  /** @throws {ClmError} INVALID_ARGUMENT for anything else than a ByteSource. */
  constructor(source: unknown, what: string, signal?: AbortSignal) {
    this.#what = what;
    this.#signal = signal;
    if (isBlob(source)) this.#blob = source;
    else if (isStream(source)) this.#puller = new Puller<unknown>(source, what, signal);
    else if (isByteSource(source)) this.#bytes = viewOf(source as Uint8Array | ArrayBuffer);
    else {
      throw invalid(`${what} is no source of bytes`, {
        hint: "Give a Uint8Array, ArrayBuffer, Blob or ReadableStream of bytes.",
      });
    }
  }

  /**
   * The next piece, or undefined at the end.
   * @throws {ClmError} ABORTED; INVALID_ARGUMENT with the source's own error as cause
   */
  async next(): Promise<Uint8Array | undefined> {
    throwIfAborted(this.#signal);
    if (this.#blob) return this.#ofBlob(this.#blob);
    while (this.#at >= this.#bytes.length) {
      const step = this.#puller && (await this.#puller.next());
      if (!step || step.done) return undefined;
      const part = step.value;
      if (!ArrayBuffer.isView(part)) throw invalid(`${this.#what} is a stream of something else than bytes`);
      this.#bytes = viewOf(part as Uint8Array);
      this.#at = 0;
    }
    const piece = this.#bytes.subarray(this.#at, this.#at + PIECE);
    this.#at += piece.length;
    return piece;
  }

  /** Tells a stream that was not read to its end that no more is wanted. */
  async close(): Promise<void> {
    await this.#puller?.close();
  }

  async #ofBlob(blob: Blob): Promise<Uint8Array | undefined> {
    if (this.#at >= blob.size) return undefined;
    const slice = blob.slice(this.#at, this.#at + PIECE).arrayBuffer();
    this.#at += PIECE;
    try {
      return new Uint8Array(await orAborted(slice, this.#signal));
    } catch (e) {
      throw isClmError(e) ? e : failed(this.#what, e);
    }
  }
}

/**
 * All bytes of the source. `what` names it in errors; at most `spool` bytes are taken from a stream.
 * @throws {ClmError} INVALID_ARGUMENT for anything else than a ByteSource, PACKAGE_LIMIT, ABORTED
 */
export async function readAll(
  source: unknown,
  what: string,
  signal?: AbortSignal,
  spool = DEFAULT_SPOOL,
): Promise<Uint8Array> {
  throwIfAborted(signal);
  if (ArrayBuffer.isView(source) || isArrayBuffer(source)) return viewOf(source);
  const parts: Uint8Array[] = [];
  let size = 0;
  const pieces = new Pieces(source, what, signal);
  try {
    for (let part = await pieces.next(); part; part = await pieces.next()) {
      size += part.length;
      if (size > spool && isStream(source)) {
        throw new ClmError("PACKAGE_LIMIT", `${what} is a stream of more than ${spool} bytes (${size} so far)`, {
          hint: "Hand over a Blob, a URL, a RandomAccess or the bytes, of which parts can be read; or raise `limits.spool`.",
        });
      }
      parts.push(part);
    }
  } finally {
    await pieces.close();
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

export function isBlob(value: unknown): value is Blob {
  return typeof Blob === "function" && value instanceof Blob;
}

/** By shape: pages and polyfills have streams of other realms. */
export function isStream(value: unknown): value is ReadableStream<unknown> {
  return typeof (value as { getReader?: unknown } | null)?.getReader === "function";
}

/** Whether it is bytes in one of the accepted shapes. */
export function isByteSource(value: unknown): value is ByteSource {
  return ArrayBuffer.isView(value) || isArrayBuffer(value) || isBlob(value) || isStream(value);
}

/** The bytes, without copying them. */
export function viewOf(bytes: ArrayBufferView | ArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

/** One array out of the parts, `size` bytes in all. */
export function concat(parts: Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
