/** Rows of a source that is read forwards, kept as far as they were read so that a table can go back. */
import { fitting } from "./protocol.ts";

/** Rows that are shown of a file at most. */
const KEPT = 10_000;

export class RowCursor {
  #source: AsyncIterator<Record<string, string>[]>;
  #columns: readonly string[];
  #rows: string[][] = [];
  #end = false;

  constructor(source: AsyncIterable<Record<string, string>[]>, columns: readonly string[]) {
    this.#source = source[Symbol.asyncIterator]();
    this.#columns = columns;
  }

  async read(from: number, count: number): Promise<{ rows: string[][]; end: boolean }> {
    while (!this.#end && this.#rows.length < Math.min(from + count, KEPT)) {
      const { value, done } = await this.#source.next();
      if (done) {
        this.#end = true;
        break;
      }
      for (const row of value) this.#rows.push(this.#columns.map((name) => row[name] ?? ""));
    }
    const rows = fitting(this.#rows.slice(from, from + count));
    return { rows, end: (this.#end || this.#rows.length >= KEPT) && from + rows.length >= this.#rows.length };
  }

  close(): void {
    void this.#source.return?.();
  }
}
