/** Chunks of rows on their way out of the module's memory. */
import type { WireModule, WireRows } from "../wire.js";

/** What Node, Bun and Deno add to a byte array; `latin1Slice` makes strings of bytes much faster than TextDecoder. */
interface NodeBuffer {
  latin1Slice(start: number, end: number): string;
  ucs2Slice(start: number, end: number): string;
}
interface NodeBufferClass {
  readonly prototype: NodeBuffer;
  from(buffer: ArrayBufferLike, offset: number, length: number): NodeBuffer;
}

/** `ignoreBOM`: a cell may begin with U+FEFF. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });
const { Buffer } = globalThis as unknown as { Buffer?: NodeBufferClass };
const asciiText =
  typeof Buffer?.prototype?.latin1Slice === "function" && typeof Buffer.from === "function"
    ? (memory: ArrayBufferLike, at: number, length: number) => Buffer.from(memory, at, length).latin1Slice(0, length)
    : undefined;
const wideText =
  typeof Buffer?.prototype?.ucs2Slice === "function" && typeof Buffer.from === "function"
    ? (memory: ArrayBufferLike, at: number, length: number) => Buffer.from(memory, at, length).ucs2Slice(0, length)
    : (memory: ArrayBufferLike, at: number, length: number) => utf16.decode(new Uint8Array(memory, at, length));

/** The text of the chunk, or of the column that was chosen last. */
export function textOf(wire: WireModule, chunk: WireRows): string {
  const { textPtr, textLength } = chunk;
  const { buffer } = wire.wasmMemory();
  if (!chunk.ascii) return wideText(buffer, textPtr, textLength);
  if (asciiText) return asciiText(buffer, textPtr, textLength);
  return utf8.decode(new Uint8Array(buffer, textPtr, textLength));
}

/** Where its cells end: a view into the module's memory, good until the next call. */
export function endsOf(wire: WireModule, chunk: WireRows): Uint32Array {
  return new Uint32Array(wire.wasmMemory().buffer, chunk.endsPtr, chunk.endsLength);
}

/** Makes rows of these columns: `new Row(text, ends, number of the row's first cell, where that begins)`. */
export type RowMaker = new (text: string, ends: Uint32Array, cell: number, from: number) => Record<string, string>;

/** Keys that `rowMaker` sets one by one. */
const LADDER = 32;

/**
 * A constructor of plain objects: each assignment is a place of its own in the code, so that the engine remembers one key there.
 * That halves the time of a loop over the columns.
 */
export function rowMaker(columns: readonly string[]): RowMaker {
  const w = columns.length;
  // biome-ignore format: one line
  const [k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, k13, k14, k15, k16, k17, k18, k19, k20, k21, k22, k23, k24, k25, k26, k27, k28, k29, k30, k31] = columns as [string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string, string];
  function Row(this: Record<string, string>, t: string, e: Uint32Array, i: number, from: number) {
    if (w === 0) return;
    this[k0] = t.slice(from, e[i]);
    if (w === 1) return;
    this[k1] = t.slice(e[i], e[i + 1]);
    if (w === 2) return;
    this[k2] = t.slice(e[i + 1], e[i + 2]);
    if (w === 3) return;
    this[k3] = t.slice(e[i + 2], e[i + 3]);
    if (w === 4) return;
    this[k4] = t.slice(e[i + 3], e[i + 4]);
    if (w === 5) return;
    this[k5] = t.slice(e[i + 4], e[i + 5]);
    if (w === 6) return;
    this[k6] = t.slice(e[i + 5], e[i + 6]);
    if (w === 7) return;
    this[k7] = t.slice(e[i + 6], e[i + 7]);
    if (w === 8) return;
    this[k8] = t.slice(e[i + 7], e[i + 8]);
    if (w === 9) return;
    this[k9] = t.slice(e[i + 8], e[i + 9]);
    if (w === 10) return;
    this[k10] = t.slice(e[i + 9], e[i + 10]);
    if (w === 11) return;
    this[k11] = t.slice(e[i + 10], e[i + 11]);
    if (w === 12) return;
    this[k12] = t.slice(e[i + 11], e[i + 12]);
    if (w === 13) return;
    this[k13] = t.slice(e[i + 12], e[i + 13]);
    if (w === 14) return;
    this[k14] = t.slice(e[i + 13], e[i + 14]);
    if (w === 15) return;
    this[k15] = t.slice(e[i + 14], e[i + 15]);
    if (w === 16) return;
    this[k16] = t.slice(e[i + 15], e[i + 16]);
    if (w === 17) return;
    this[k17] = t.slice(e[i + 16], e[i + 17]);
    if (w === 18) return;
    this[k18] = t.slice(e[i + 17], e[i + 18]);
    if (w === 19) return;
    this[k19] = t.slice(e[i + 18], e[i + 19]);
    if (w === 20) return;
    this[k20] = t.slice(e[i + 19], e[i + 20]);
    if (w === 21) return;
    this[k21] = t.slice(e[i + 20], e[i + 21]);
    if (w === 22) return;
    this[k22] = t.slice(e[i + 21], e[i + 22]);
    if (w === 23) return;
    this[k23] = t.slice(e[i + 22], e[i + 23]);
    if (w === 24) return;
    this[k24] = t.slice(e[i + 23], e[i + 24]);
    if (w === 25) return;
    this[k25] = t.slice(e[i + 24], e[i + 25]);
    if (w === 26) return;
    this[k26] = t.slice(e[i + 25], e[i + 26]);
    if (w === 27) return;
    this[k27] = t.slice(e[i + 26], e[i + 27]);
    if (w === 28) return;
    this[k28] = t.slice(e[i + 27], e[i + 28]);
    if (w === 29) return;
    this[k29] = t.slice(e[i + 28], e[i + 29]);
    if (w === 30) return;
    this[k30] = t.slice(e[i + 29], e[i + 30]);
    if (w === 31) return;
    this[k31] = t.slice(e[i + 30], e[i + 31]);
    if (w === 32) return;
    for (let c = LADDER; c < w; c++) this[columns[c] as string] = t.slice(e[i + c - 1], e[i + c]);
  }
  Row.prototype = Object.prototype;
  return (columns.includes("__proto__") ? carefulRowMaker(columns) : Row) as unknown as RowMaker;
}

/** For a column that an assignment would not set. */
function carefulRowMaker(columns: readonly string[]): unknown {
  function Row(this: object, text: string, ends: Uint32Array, cell: number, from: number) {
    let start = from;
    columns.forEach((column, c) => {
      const end = ends[cell + c] as number;
      const value = text.slice(start, end);
      Object.defineProperty(this, column, { value, enumerable: true, configurable: true, writable: true });
      start = end;
    });
  }
  Row.prototype = Object.prototype;
  return Row;
}

/** Rows as objects. Cell (r, c) of n columns is number r · n + c; `ends` are in UTF-16 code units. */
export function decodeRows(
  rows: number,
  text: string,
  ends: Uint32Array,
  width: number,
  Row: RowMaker,
): Record<string, string>[] {
  const list = new Array<Record<string, string>>(rows);
  let from = 0;
  for (let r = 0, cell = 0; r < rows; r++, cell += width) {
    list[r] = new Row(text, ends, cell, from);
    if (width > 0) from = ends[cell + width - 1] as number;
  }
  return list;
}
