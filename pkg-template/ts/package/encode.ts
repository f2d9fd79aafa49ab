/**
 * Rows on their way into the module: a chunk of them as one string. Crossing into the module cell by cell would cost more than all
 * the rest.
 */
import { type ClmError, invalid } from "../errors.js";
import { CellEnd, CellKind } from "../wire.js";
import { type CellPlace, CHUNK, isWellFormed, kindOf, refuse, refuseIllFormed, textOf } from "./cells.js";

/** Whole rows, ready for the module. */
export interface Chunk {
  /** Cells, each followed by the CellEnd of its kind; see `writeJoined`. */
  joined: string;
  cells: number;
  /** The same for `writeRows`, should a cell hold such a character itself. */
  split(): { text: string; ends: Uint32Array; kinds: Uint8Array };
}

/** Collects rows into chunks. Every value is either carried over exactly or refused with its row and column. */
export class RowEncoder {
  readonly #entity: string;
  readonly #columns: readonly string[];
  readonly #known: ReadonlySet<string>;
  /** Columns that a row may seem to have, because every object inherits them. */
  readonly #inherited: ReadonlySet<string>;
  #row = 0;
  /** Rows of earlier chunks. */
  #before = 0;
  #joined = "";
  #cells: string[] = [];
  #kinds: number[] = [];

  constructor(entity: string, columns: readonly string[]) {
    this.#entity = entity;
    this.#columns = columns;
    this.#known = new Set(columns);
    this.#inherited = new Set(columns.filter((column) => column in Object.prototype));
  }

  /** Rows so far. */
  get rows(): number {
    return this.#row;
  }

  /** Whether the chunk should be handed over. */
  get full(): boolean {
    return this.#joined.length >= CHUNK;
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
    const columns = this.#columns;
    let joined = this.#joined;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as string;
      const value = values[column];
      if (typeof value === "string") {
        this.#cells.push(value);
        this.#kinds.push(CellKind.text);
        joined += `${value}\u001f`;
        continue;
      }
      const kind = this.#kindOf(values, column, value);
      const text = textOf(value, kind);
      this.#cells.push(text);
      this.#kinds.push(kind);
      joined += text + CellEnd[kind];
    }
    this.#joined = joined;
  }

  /**
   * The chunk so far, or undefined where it has no rows.
   * @throws {ClmError} INVALID_ARGUMENT for half of a surrogate pair
   */
  take(): Chunk | undefined {
    if (this.#cells.length === 0) return undefined;
    if (!isWellFormed(this.#joined)) this.#checkText();
    const cells = this.#cells;
    const kinds = this.#kinds;
    const chunk = { joined: this.#joined, cells: cells.length, split: () => split(cells, kinds) };
    this.#before = this.#row;
    this.#joined = "";
    this.#cells = [];
    this.#kinds = [];
    return chunk;
  }

  #checkKeys(row: Record<string, unknown>): void {
    let i = 0;
    for (const key in row) {
      if (key === this.#columns[i++] || this.#known.has(key) || !Object.hasOwn(row, key)) continue;
      this.#checkText();
      throw invalid(`row ${this.#row} of ${this.#entity} has "${key}", which is no column`, {
        at: { entity: this.#entity, line: this.#row, column: key },
        hint: "The columns are `columns` of the entity, or else the keys of its first row. Name all of them in `columns`.",
      });
    }
  }

  #kindOf(row: Record<string, unknown>, column: string, value: unknown): number {
    if (this.#inherited.has(column) && !Object.hasOwn(row, column)) return CellKind.empty;
    if (value === undefined || value === null) return CellKind.empty;
    try {
      return kindOf(value, this.#place(column));
    } catch (e) {
      // What came before it is told first.
      this.#checkText();
      throw e;
    }
  }

  /** The first cell of the chunk that is no valid text is told. */
  #checkText(): void {
    const at = this.#cells.findIndex((cell) => !isWellFormed(cell));
    if (at < 0) return;
    const width = this.#columns.length;
    const row = this.#before + Math.floor(at / width) + 1;
    throw refuseIllFormed({ entity: this.#entity, row, column: this.#columns[at % width] as string });
  }

  #place(column: string | undefined): CellPlace {
    return { entity: this.#entity, row: this.#row, ...(column === undefined ? {} : { column }) };
  }

  #refuse(column: string | undefined, what: string): ClmError {
    this.#checkText();
    return refuse(this.#place(column), what);
  }
}

/** Cells as `writeRows` takes them. */
export function split(
  cells: readonly string[],
  kinds: readonly number[],
): { text: string; ends: Uint32Array; kinds: Uint8Array } {
  const ends = new Uint32Array(cells.length);
  let end = 0;
  for (let i = 0; i < cells.length; i++) {
    end += (cells[i] as string).length;
    ends[i] = end;
  }
  return { text: cells.join(""), ends, kinds: Uint8Array.from(kinds) };
}
