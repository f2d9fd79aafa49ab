/**
 * Rows on their way into the module: a chunk of them as one string. Crossing into the module cell by cell would cost more than all
 * the rest.
 */
import { invalid } from "../errors.js";
import { CellEnd, CellKind } from "../wire.js";
import { type CellPlace, CHUNK, isWellFormed, kindOf, refuse, refuseIllFormed, refuseValue, textOf } from "./cells.js";

/** Whole rows, ready for the module. */
export interface Chunk {
  /** UTF-8 in the room: cells, each followed by the CellEnd of its kind; see `writeJoined`. */
  bytes: number;
  cells: number;
  /** The same for `writeRows`, should a cell hold such a character itself. */
  split(): { text: string; ends: Uint32Array; kinds: Uint8Array };
}

/** Where the text of a chunk goes as UTF-8. */
export interface Room {
  /** Puts it at that byte, and tells how many bytes it has. */
  put(text: string, at: number): number;
}

/** UTF-16 code units that are made UTF-8 at once: longer strings fall out of the processor's cache. */
const PIECE = 4096;

/** Collects rows into chunks. Every value is either carried over exactly or refused with its row and column. */
export class RowEncoder {
  readonly #entity: string;
  readonly #columns: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #room: Room;
  #row = 0;
  /** Rows of earlier chunks. */
  #before = 0;
  /** Text of the chunk that is in the room, with its length in code units and in bytes, and what is not there yet. */
  #pieces: string[] = [];
  #length = 0;
  #bytes = 0;
  #piece = "";
  /** Where its cells end, without their CellEnd. */
  #ends = new Uint32Array(1024);
  #cells = 0;

  constructor(entity: string, columns: readonly string[], room: Room) {
    this.#entity = entity;
    this.#columns = columns;
    this.#known = new Set(columns);
    this.#room = room;
  }

  /** Rows so far. */
  get rows(): number {
    return this.#row;
  }

  /** Whether the chunk should be handed over. */
  get full(): boolean {
    return this.#length + this.#piece.length >= CHUNK;
  }

  /** @throws {ClmError} INVALID_ARGUMENT for a value that can't be carried over, or a key that is no column. */
  push(row: unknown): void {
    this.#row += 1;
    let piece = this.#piece;
    let cells = this.#cells;
    try {
      if (typeof row !== "object" || row === null || Array.isArray(row)) {
        const what = row === null ? "null" : Array.isArray(row) ? "an array" : `a ${typeof row}`;
        throw refuse(this.#place(), `is ${what}`);
      }
      const values = row as Record<string, unknown>;
      const columns = this.#columns;
      const width = columns.length;
      const ends = this.#endsOf(cells + width);
      // Mostly a row has its keys in the order of the columns: one pass checks the keys and reads the values.
      let i = 0;
      for (const key in values) {
        if (key !== columns[i]) {
          i = -1;
          break;
        }
        const value = values[key];
        if (typeof value === "string") {
          piece += value;
          piece += "\u001f";
        } else {
          piece += this.#other(values, key, value);
        }
        ends[cells + i] = this.#length + piece.length - 1;
        i += 1;
      }
      if (i !== width) {
        piece = this.#piece;
        this.#checkKeys(values);
        for (i = 0; i < width; i++) {
          const column = columns[i] as string;
          const value = values[column];
          piece += typeof value === "string" ? `${value}\u001f` : this.#other(values, column, value);
          ends[cells + i] = this.#length + piece.length - 1;
        }
      }
      cells += width;
    } catch (e) {
      // What stands before it is told first.
      this.#piece = piece;
      this.#checkText();
      throw e;
    }
    this.#cells = cells;
    this.#piece = piece;
    if (piece.length >= PIECE) this.#put();
  }

  /**
   * The chunk so far, or undefined where it has no rows. Good until the next row.
   * @throws {ClmError} INVALID_ARGUMENT for half of a surrogate pair
   */
  take(): Chunk | undefined {
    if (this.#cells === 0) return undefined;
    this.#put();
    const pieces = this.#pieces;
    const ends = this.#ends.subarray(0, this.#cells);
    const chunk = { bytes: this.#bytes, cells: this.#cells, split: () => splitJoined(pieces.join(""), ends) };
    this.#before = this.#row;
    this.#pieces = [];
    this.#length = 0;
    this.#bytes = 0;
    this.#cells = 0;
    return chunk;
  }

  #put(): void {
    const piece = this.#piece;
    const bytes = this.#room.put(piece, this.#bytes);
    // UTF-8 has no half pairs: they would have become something else. ASCII has as many bytes as code units.
    if (bytes !== piece.length && !isWellFormed(piece)) this.#checkText();
    this.#pieces.push(piece);
    this.#length += piece.length;
    this.#bytes += bytes;
    this.#piece = "";
  }

  #endsOf(cells: number): Uint32Array {
    if (cells > this.#ends.length) {
      const more = new Uint32Array(Math.max(cells, this.#ends.length * 2));
      more.set(this.#ends);
      this.#ends = more;
    }
    return this.#ends;
  }

  #checkKeys(row: Record<string, unknown>): void {
    for (const key of Object.keys(row)) {
      if (this.#known.has(key)) continue;
      throw invalid(`row ${this.#row} of ${this.#entity} has "${key}", which is no column`, {
        at: { entity: this.#entity, line: this.#row, column: key },
        hint: "The columns are `columns` of the entity, or else the keys of its first row. Name all of them in `columns`.",
      });
    }
  }

  /** The text of a value that is no string, with its CellEnd. */
  #other(row: Record<string, unknown>, column: string, value: unknown): string {
    // What every object inherits is no value of the row.
    const inherited = (typeof value === "object" || typeof value === "function") && !Object.hasOwn(row, column);
    if (inherited || value === undefined || value === null) return CellEnd[CellKind.empty];
    const kind = kindOf(value);
    if (kind === undefined) throw refuseValue(value, this.#place(column));
    return textOf(value, kind) + CellEnd[kind];
  }

  /** The first cell of the chunk that is no valid text is told. */
  #checkText(): void {
    const text = this.#pieces.join("") + this.#piece;
    const width = this.#columns.length;
    let start = 0;
    for (let i = 0; start < text.length; i++) {
      const end = this.#ends[i] as number;
      if (!isWellFormed(text.slice(start, end))) {
        const row = this.#before + Math.floor(i / width) + 1;
        throw refuseIllFormed({ entity: this.#entity, row, column: this.#columns[i % width] as string });
      }
      start = end + 1;
    }
  }

  #place(column?: string): CellPlace {
    return { entity: this.#entity, row: this.#row, ...(column === undefined ? {} : { column }) };
  }
}

function splitJoined(joined: string, ends: Uint32Array): { text: string; ends: Uint32Array; kinds: Uint8Array } {
  const cells = new Array<string>(ends.length);
  const kinds = new Array<number>(ends.length);
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i] as number;
    cells[i] = joined.slice(start, end);
    kinds[i] = CellEnd.indexOf(joined[end] as (typeof CellEnd)[number]);
    start = end + 1;
  }
  return split(cells, kinds);
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
