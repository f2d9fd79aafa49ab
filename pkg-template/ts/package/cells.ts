/** Values of cells, and the text that carries each kind of them into the module. */
import { type ClmError, invalid } from "../errors.js";
import { CellKind } from "../wire.js";

/** A value in a row. `null` and `undefined` are no value. Dates are points in time; numbers must be finite. */
export type Cell = string | number | bigint | boolean | Date | null | undefined;
/** Column → value. */
export type Row = Record<string, Cell>;

/** Where a cell is, for errors. */
export interface CellPlace {
  entity: string;
  /** 1-based row or top-level record. */
  row: number;
  column?: string;
}

/** UTF-16 code units after which a chunk is handed over. A row is never split, so a chunk may be longer by one row. */
export const CHUNK: number = 128 * 1024;

/** The kind of a value, or undefined where it can't be carried over: then `refuseValue` says why. */
export function kindOf(value: unknown): number | undefined {
  switch (typeof value) {
    case "string":
      return CellKind.text;
    case "number":
      return Number.isFinite(value) ? CellKind.number : undefined;
    case "bigint":
      return CellKind.bigint;
    case "boolean":
      return CellKind.boolean;
    case "undefined":
      return CellKind.empty;
  }
  if (value === null) return CellKind.empty;
  return value instanceof Date && !Number.isNaN(value.getTime()) ? CellKind.date : undefined;
}

/** For a value without a kind. */
export function refuseValue(value: unknown, place: CellPlace): ClmError {
  if (typeof value === "number") return refuse(place, `is ${value}, which is no number that can be written`);
  if (value instanceof Date) return refuse(place, "is an invalid Date");
  const what = Array.isArray(value) ? "an array" : `a ${typeof value}`;
  return refuse(place, `is ${what}`, "Give text, number, bigint, boolean, Date, null or undefined.");
}

/** The text of a value of that kind. */
export function textOf(value: unknown, kind: number): string {
  if (kind === CellKind.empty) return "";
  return kind === CellKind.date ? (value as Date).toISOString() : String(value);
}

/** `INVALID_ARGUMENT` with its place. */
export function refuse({ entity, row, column }: CellPlace, what: string, hint?: string): ClmError {
  const place = column === undefined ? "" : `, column "${column}"`;
  return invalid(`row ${row} of ${entity}${place} ${what}`, {
    at: { entity, line: row, ...(column === undefined ? {} : { column }) },
    hint,
  });
}

/** For half of a surrogate pair. */
export function refuseIllFormed(place: CellPlace): ClmError {
  return refuse(place, "has half of a surrogate pair: this is no valid Unicode text");
}

const LONE = /\p{Surrogate}/u;

/** Whether the text has no half of a surrogate pair. */
export const isWellFormed: (text: string) => boolean =
  typeof String.prototype.isWellFormed === "function" ? (text) => text.isWellFormed() : (text) => !LONE.test(text);
