/** Chunks of rows on their way out of the module's memory. */
import type { WireModule, WireRows } from "../wire.js";

/** What Node, Bun and Deno add to a byte array; `latin1Slice` makes strings of bytes much faster than TextDecoder. */
interface NodeBuffer {
  latin1Slice(start: number, end: number): string;
}
interface NodeBufferClass {
  readonly prototype: NodeBuffer;
  from(buffer: ArrayBufferLike, offset: number, length: number): NodeBuffer;
}

/** `ignoreBOM`: a cell may begin with U+FEFF. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const { Buffer } = globalThis as unknown as { Buffer?: NodeBufferClass };
const asciiText =
  typeof Buffer?.prototype?.latin1Slice === "function" && typeof Buffer.from === "function"
    ? (memory: ArrayBufferLike, at: number, length: number) => Buffer.from(memory, at, length).latin1Slice(0, length)
    : undefined;

/** The text of the chunk, or of the column that was chosen last. */
export function textOf(wire: WireModule, chunk: WireRows): string {
  const { textPtr, textLength } = chunk;
  const { buffer } = wire.wasmMemory();
  if (asciiText && chunk.ascii) return asciiText(buffer, textPtr, textLength);
  return utf8.decode(new Uint8Array(buffer, textPtr, textLength));
}

/** Where its cells end: a view into the module's memory, good until the next call. */
export function endsOf(wire: WireModule, chunk: WireRows): Uint32Array {
  return new Uint32Array(wire.wasmMemory().buffer, chunk.endsPtr, chunk.endsLength);
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
