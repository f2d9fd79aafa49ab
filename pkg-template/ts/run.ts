/** What every long operation shares: cancellation, progress, and letting others have a turn. */
import { aborted, throwIfAborted } from "./errors.js";

/** How far an operation is. */
export interface Progress {
  /** What is being done; the names are those of the operation's documentation. */
  stage: string;
  /** Done so far, in `unit`. */
  done: number;
  /** All of it, where known. */
  total?: number;
  unit: "bytes" | "rows" | "entities" | "polls";
}

/** Accepted by every operation that may take time. */
export interface RunOptions {
  /** Ends the operation with `ABORTED`; its `cause` is the signal's reason. */
  signal?: AbortSignal;
  /** Called at most 20 times a second, and at the end. What it throws is ignored. */
  onProgress?: (progress: Progress) => void;
}

/** At least this many milliseconds lie between two reports. */
const REPORT_EVERY = 50;
/** Synchronous work goes on for at most this many milliseconds before others have a turn. */
const TURN = 40;

/** Reports progress, but not too often. */
export class Reporter {
  readonly #callback: ((progress: Progress) => void) | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(callback: ((progress: Progress) => void) | undefined) {
    this.#callback = callback;
  }

  /** `always` for a step that must not be left out: the last one, or a change of stage. */
  report(progress: Progress, always = false): void {
    if (!this.#callback) return;
    const now = performance.now();
    if (!always && now - this.#last < REPORT_EVERY) return;
    this.#last = now;
    try {
      this.#callback(progress);
    } catch {
      // The host's display must not decide whether the work succeeds.
    }
  }
}

/** Lets the event loop run now and then, so that a signal can fire during work that never waits. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** @throws {ClmError} ABORTED */
  async yield(): Promise<void> {
    throwIfAborted(this.#signal);
    if (performance.now() - this.#since < TURN) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#since = performance.now();
    throwIfAborted(this.#signal);
  }
}

/** The promise, or ABORTED as soon as the signal fires. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  throwIfAborted(signal);
  let stop: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(aborted(signal)));
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    stop?.();
  }
}

/** One signal out of several; `unlink` takes the listeners off again. */
export function linkSignals(...signals: (AbortSignal | undefined)[]): { signal: AbortSignal; unlink(): void } {
  const controller = new AbortController();
  const undo: (() => void)[] = [];
  for (const signal of signals) {
    if (!signal) continue;
    const stop = () => controller.abort(signal.reason);
    if (signal.aborted) stop();
    else undo.push(onAbort(signal, stop));
  }
  return {
    signal: controller.signal,
    unlink() {
      for (const step of undo) step();
    },
  };
}

const waiting = new WeakMap<AbortSignal, { all: Set<() => void>; fire: () => void }>();

/** One listener for all who wait for a signal: Node warns of a leak where there are more than ten. What is returned takes it back. */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let entry = waiting.get(signal);
  if (!entry) {
    const all = new Set<() => void>();
    entry = {
      all,
      fire: () => {
        for (const each of [...all]) each();
      },
    };
    waiting.set(signal, entry);
    signal.addEventListener("abort", entry.fire, { once: true });
  }
  const { all, fire } = entry;
  all.add(callback);
  return () => {
    if (!all.delete(callback) || all.size > 0) return;
    signal.removeEventListener("abort", fire);
    waiting.delete(signal);
  };
}
