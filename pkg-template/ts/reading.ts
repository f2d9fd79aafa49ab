/** Pages of a list on their way to the host: pieces of whole records become rows one piece after another, and are then forgotten. */
import { aborted } from "./errors.js";
import type { Handle } from "./handle.js";
import type { linkSignals } from "./run.js";
import type { WirePager } from "./wire.js";

/** A list that is being read. */
export interface Pieces {
  /** A JSON list of records; behind those of a page its end, as a JSON object; nothing at the end of the list. */
  next(): Promise<string | undefined>;
  /** Ends what is under way; idempotent. */
  dispose(): void;
}

/** Opens the list; called when the first row is wanted. `parse` makes values of the JSON. */
export interface ListSource {
  open(): Promise<Pieces>;
  parse(text: string): unknown;
}

/**
 * Row by row. Not a generator: of a row that is there already nothing but its promise is made, which halves what a row costs. As of a
 * generator, rows asked for at the same time come in order, and after a failure there are no more.
 */
export class Rows<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #source: ListSource;
  #pieces: Pieces | undefined;
  #rows: T[] = [];
  #at = 0;
  #over = false;
  #waiting = 0;
  #line: Promise<unknown> = Promise.resolve();

  constructor(source: ListSource) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting === 0 && this.#at < this.#rows.length) {
      return Promise.resolve({ value: this.#rows[this.#at++] as T, done: false });
    }
    this.#waiting += 1;
    const result = this.#line.then(() => this.#pull());
    this.#line = result.catch(() => undefined);
    return result;
  }

  /** Nothing more is read. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  async #pull(): Promise<IteratorResult<T, undefined>> {
    try {
      while (this.#at >= this.#rows.length && !this.#over) await this.#fill();
      if (this.#over) return { value: undefined, done: true };
      return { value: this.#rows[this.#at++] as T, done: false };
    } catch (e) {
      // Who has ended the list is not told that what was under way has failed by that.
      if (this.#over) return { value: undefined, done: true };
      this.#end();
      throw e;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #fill(): Promise<void> {
    const pieces = this.#pieces ?? (await this.#source.open());
    this.#pieces = pieces;
    if (this.#over) return pieces.dispose();
    // The rows before are garbage from here on, also while this waits.
    this.#rows = [];
    this.#at = 0;
    const piece = await pieces.next();
    if (this.#over) return;
    if (piece === undefined) this.#end();
    else if (piece.startsWith("[")) this.#rows = this.#source.parse(piece) as T[];
  }

  #end(): void {
    this.#over = true;
    this.#rows = [];
    this.#at = 0;
    this.#pieces?.dispose();
  }
}

/** Page by page. */
export async function* readPages<T>(
  source: ListSource,
): AsyncGenerator<{ items: T[]; count?: number }, undefined, undefined> {
  const pieces = await source.open();
  try {
    let items: T[] = [];
    while (true) {
      const piece = await pieces.next();
      if (piece === undefined) return;
      if (piece.startsWith("[")) {
        for (const row of source.parse(piece) as T[]) items.push(row);
        continue;
      }
      const page = { items, ...(JSON.parse(piece) as { count?: number }) };
      items = [];
      yield page;
    }
  } finally {
    pieces.dispose();
  }
}

/** The pieces that the module hands over. A signal is listened to once for the list: pieces are many. */
export class WirePieces implements Pieces {
  readonly #pager: Handle<WirePager>;
  readonly #linked: ReturnType<typeof linkSignals>;
  #wake: (() => void) | undefined;

  constructor(pager: Handle<WirePager>, linked: ReturnType<typeof linkSignals>) {
    this.#pager = pager;
    this.#linked = linked;
    linked.signal.addEventListener("abort", () => this.#wake?.(), { once: true });
  }

  async next(): Promise<string | undefined> {
    const { signal } = this.#linked;
    while (true) {
      if (signal.aborted) throw aborted(signal);
      const piece = this.#pager.use((pager) => pager.take());
      if (piece !== "") return piece;
      await new Promise<void>((resolve, reject) => {
        // Where the instance dies, what it has promised never comes.
        this.#wake = resolve;
        this.#pager.use((pager) => pager.wait()).then(resolve, reject);
      });
    }
  }

  dispose(): void {
    this.#linked.unlink();
    this.#pager.dispose();
    this.#wake?.();
  }
}
