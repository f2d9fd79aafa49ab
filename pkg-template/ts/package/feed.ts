/** Gives a reading machine of the module the bytes that it wants, and reads ahead while it works on them. */
import { ClmError } from "../errors.js";
import type { Handle } from "../handle.js";
import { linkSignals, orAborted } from "../run.js";
import type { WireWants } from "../wire.js";
import type { Access } from "./access.js";

/** The first read of a file takes what is wanted; the following ones grow to this: 1 MiB. */
const MOST = 1024 * 1024;
const LEAST = 64 * 1024;

interface Piece {
  start: number;
  bytes: Uint8Array;
}

export class Feed {
  readonly #access: Access;
  readonly #signal: AbortSignal;
  readonly #unlink: () => void;
  readonly #stop = new AbortController();
  readonly #expected: number;
  /** Reading ahead goes no further. */
  #limit: number | undefined;
  #piece: Piece = { start: 0, bytes: new Uint8Array() };
  #ahead: { start: number; bytes: Promise<Uint8Array> } | undefined;
  #length = LEAST;
  #taken = 0;

  /**
   * Reads ahead where reading goes on in order, up to about `expected` bytes after the first one; with 0 not at all. `signals` end
   * every wait: the caller's, and that of what is being read.
   */
  constructor(access: Access, expected: number, ...signals: (AbortSignal | undefined)[]) {
    this.#access = access;
    this.#expected = expected;
    const { signal, unlink } = linkSignals(this.#stop.signal, ...signals);
    this.#signal = signal;
    this.#unlink = unlink;
  }

  /** Bytes given so far. */
  get taken(): number {
    return this.#taken;
  }

  /** False where nothing was wanted. A promise only where bytes are not at hand. */
  serve(machine: Handle<WireWants>): boolean | Promise<boolean> {
    const range = machine.use((m) => m.want());
    if (!range) return false;
    const [start, end] = range as unknown as [number, number];
    this.#limit ??= this.#expected > 0 ? Math.min(this.#access.size, start + this.#expected) : 0;
    const wanted = end - start;
    if (this.#access.held)
      return this.#give(machine, this.#access.read(start, end, this.#signal) as Uint8Array, wanted);
    const { start: from, bytes } = this.#piece;
    if (start >= from && end <= from + bytes.length) {
      return this.#give(machine, bytes.subarray(start - from, end - from), wanted);
    }
    return this.#read(start, end).then((bytes) => this.#give(machine, bytes, wanted));
  }

  /** Stops reading ahead. */
  close(): void {
    this.#stop.abort();
    this.#unlink();
    this.#ahead = undefined;
  }

  #give(machine: Handle<WireWants>, bytes: Uint8Array, wanted: number): true {
    if (bytes.length !== wanted) {
      throw new ClmError(
        "PACKAGE_CORRUPT",
        `the source gave ${bytes.length} bytes in place of ${wanted}: it changed while it was read`,
        {
          hint: "Open it again once nobody writes to it any more.",
        },
      );
    }
    this.#taken += wanted;
    machine.use((m) => m.give(bytes));
    return true;
  }

  async #read(start: number, end: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let at = start;
    while (at < end) {
      const { start: from, bytes } = this.#piece;
      if (at >= from && at < from + bytes.length) {
        const part = bytes.subarray(at - from, end - from);
        parts.push(part);
        at += part.length;
        continue;
      }
      await this.#next(at, end);
    }
    if (parts.length === 1) return parts[0] as Uint8Array;
    const whole = new Uint8Array(end - start);
    let to = 0;
    for (const part of parts) {
      whole.set(part, to);
      to += part.length;
    }
    return whole;
  }

  /** Reads the piece that begins at `at`, which was read ahead where reading goes on in order. */
  async #next(at: number, end: number): Promise<void> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const inOrder = at === this.#piece.start + this.#piece.bytes.length && at > 0;
    if (inOrder) this.#length = Math.min(this.#length * 2, MOST);
    else this.#length = LEAST;
    const stop = inOrder ? Math.max(end, this.#until(at)) : end;
    const bytes = ahead && ahead.start === at ? ahead.bytes : this.#fetch(at, stop);
    const got = await orAborted(bytes, this.#signal);
    if (got.length === 0) this.#short(at);
    this.#piece = { start: at, bytes: got };
    if (inOrder) this.#readAhead(at + got.length);
  }

  #readAhead(start: number): void {
    const end = this.#until(start);
    if (end <= start) return;
    const bytes = this.#fetch(start, end);
    // It may never be asked for.
    bytes.catch(() => {});
    this.#ahead = { start, bytes };
  }

  #until(start: number): number {
    return Math.min(start + this.#length, this.#limit ?? 0);
  }

  async #fetch(start: number, end: number): Promise<Uint8Array> {
    const bytes = await this.#access.read(start, end, this.#signal);
    if (bytes.length > end - start) return bytes.subarray(0, end - start);
    return bytes;
  }

  #short(at: number): never {
    throw new ClmError("PACKAGE_CORRUPT", `the source ends before byte ${at}: it changed while it was read`, {
      hint: "Open it again once nobody writes to it any more.",
    });
  }
}
