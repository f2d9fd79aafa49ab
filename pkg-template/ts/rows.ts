/**
 * Rows as the module takes and gives them: one string per chunk, and where each cell ends. Crossing into the module cell by cell
 * would cost more than all the rest.
 */
import { type ClmError, invalid } from "./errors.js";
import { CellKind } from "./wire.js";

/** A value in a row. `null` and `undefined` are no value. Dates are points in time; numbers must be finite. */
export type Cell = string | number | bigint | boolean | Date | null | undefined;
/** Column → value. */
export type Row = Record<string, Cell>;

/** Whole rows, ready for the module. */
export interface Chunk {
  text: string;
  ends: Uint32Array;
  kinds: Uint8Array;
}

/** UTF-16 code units after which a chunk is full. A row is never split, so a chunk may be longer by one row. */
const CHUNK = 96 * 1024;

/** Collects rows into chunks. Every value is either carried over exactly or refused with its row and column. */
export class RowEncoder {
  readonly #entity: string;
  readonly #columns: readonly string[];
  readonly #known: ReadonlySet<string>;
  #row = 0;
  #cells: string[] = [];
  #kinds: number[] = [];
  #length = 0;

  constructor(entity: string, columns: readonly string[]) {
    this.#entity = entity;
    this.#columns = columns;
    this.#known = new Set(columns);
  }

  /** Rows so far. */
  get rows(): number {
    return this.#row;
  }

  /** Whether the chunk should be handed over. */
  get full(): boolean {
    return this.#length >= CHUNK;
  }

  /** @throws {ClmError} INVALID_ARGUMENT for a value that can't be carried over, or a key that is no column. */
  push(row: unknown): void {
    this.#row += 1;
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      throw this.#refuse(
        undefined,
        `is ${row === null ? "null" : Array.isArray(row) ? "an array" : `a ${typeof row}`}`,
      );
    }
    const values = row as Record<string, unknown>;
    this.#checkKeys(values);
    for (const column of this.#columns) {
      const value = values[column];
      let text: string;
      if (typeof value === "string") {
        if (!isWellFormed(value))
          throw this.#refuse(column, "has half of a surrogate pair: this is no valid Unicode text");
        text = value;
        this.#kinds.push(CellKind.text);
      } else {
        text = this.#other(values, column, value);
      }
      this.#cells.push(text);
      this.#length += text.length;
    }
  }

  /** The chunk so far, or undefined where it has no rows. */
  take(): Chunk | undefined {
    const { length } = this.#cells;
    if (length === 0) return undefined;
    const ends = new Uint32Array(length);
    let end = 0;
    for (let i = 0; i < length; i++) {
      end += (this.#cells[i] as string).length;
      ends[i] = end;
    }
    const chunk = { text: this.#cells.join(""), ends, kinds: Uint8Array.from(this.#kinds) };
    this.#cells = [];
    this.#kinds = [];
    this.#length = 0;
    return chunk;
  }

  #checkKeys(row: Record<string, unknown>): void {
    const keys = Object.keys(row);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      if (key === this.#columns[i] || this.#known.has(key)) continue;
      throw invalid(`row ${this.#row} of ${this.#entity} has "${key}", which is no column`, {
        at: { entity: this.#entity, line: this.#row, column: key },
        hint: "The columns are `columns` of the entity, or else the keys of its first row. Name all of them in `columns`.",
      });
    }
  }

  #other(row: Record<string, unknown>, column: string, value: unknown): string {
    if (value === undefined || value === null || !Object.hasOwn(row, column)) {
      this.#kinds.push(CellKind.empty);
      return "";
    }
    switch (typeof value) {
      case "number":
        if (!Number.isFinite(value)) throw this.#refuse(column, `is ${value}, which is no number that can be written`);
        this.#kinds.push(CellKind.number);
        return String(value);
      case "bigint":
        this.#kinds.push(CellKind.bigint);
        return String(value);
      case "boolean":
        this.#kinds.push(CellKind.boolean);
        return String(value);
    }
    if (!(value instanceof Date)) {
      const what = Array.isArray(value) ? "an array" : `a ${typeof value}`;
      throw this.#refuse(column, `is ${what}`, "Give text, number, bigint, boolean, Date, null or undefined.");
    }
    if (Number.isNaN(value.getTime())) throw this.#refuse(column, "is an invalid Date");
    this.#kinds.push(CellKind.date);
    return value.toISOString();
  }

  #refuse(column: string | undefined, what: string, hint?: string): ClmError {
    const place = column === undefined ? "" : `, column "${column}"`;
    return invalid(`row ${this.#row} of ${this.#entity}${place} ${what}`, {
      at: { entity: this.#entity, line: this.#row, ...(column === undefined ? {} : { column }) },
      hint,
    });
  }
}

/** Rows as objects. Cell (r, c) of n columns is number r · n + c; `ends` are in UTF-16 code units. */
export function decodeRows(
  rows: number,
  text: string,
  ends: Uint32Array,
  columns: readonly string[],
): Record<string, string>[] {
  const list = new Array<Record<string, string>>(rows);
  const plain = !columns.includes("__proto__");
  let cell = 0;
  let start = 0;
  for (let r = 0; r < rows; r++) {
    const row: Record<string, string> = {};
    for (const column of columns) {
      const end = ends[cell++] as number;
      const value = start === end ? "" : text.slice(start, end);
      if (plain) row[column] = value;
      else Object.defineProperty(row, column, { value, enumerable: true, configurable: true, writable: true });
      start = end;
    }
    list[r] = row;
  }
  return list;
}

const LONE = /\p{Surrogate}/u;

/** Whether the text has no half of a surrogate pair. */
export const isWellFormed: (text: string) => boolean =
  typeof String.prototype.isWellFormed === "function" ? (text) => text.isWellFormed() : (text) => !LONE.test(text);
