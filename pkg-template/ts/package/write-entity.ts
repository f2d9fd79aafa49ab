/** The content of one entity on its way into the writer. Each yields when output may be there, and when others should have a turn. */
import { invalid } from "../errors.js";
import type { Handle } from "../handle.js";
import type { Loader } from "../loader.js";
import { Step, type WirePackages, type WirePackageWriter } from "../wire.js";
import { isWellFormed } from "./cells.js";
import { type Room, RowEncoder } from "./encode.js";
import { DEFAULT_WORKBOOK } from "./limits.js";
import { RecordEncoder } from "./records.js";
import { Pieces, Puller, readAll } from "./sources.js";
import type { CompositeMember, EntityData } from "./spec.js";
import { placed, readWorkbook, workbookWriter } from "./workbook.js";

export interface Writing {
  loader: Loader<WirePackages>;
  writer: Handle<WirePackageWriter>;
  signal: AbortSignal | undefined;
  /** Told of the rows of the present entity. */
  rows(count: number): void;
}

type Steps = AsyncGenerator<void, void, undefined>;

export async function* writeEntity(writing: Writing, index: number, entity: EntityData): Steps {
  if (entity.data !== undefined) {
    if (entity.format === "EXCEL") yield* workbookData(writing, index, entity);
    else yield* data(writing, index, entity.columns ?? [], entity.data, `the data of ${entity.entity}`);
  } else if (entity.records !== undefined) {
    yield* records(writing, index, entity, entity.composite as CompositeMember);
  } else if (entity.format === "EXCEL") {
    yield* workbookRows(writing, index, entity);
  } else {
    yield* rows(writing, index, entity);
  }
}

/** A further entry of the zip. */
export async function* writeFile({ writer, signal }: Writing, name: string, source: unknown): Steps {
  const pieces = new Pieces(source, `file "${name}"`, signal);
  try {
    writer.use((w) => w.beginFile(name));
    for (let piece = await pieces.next(); piece; piece = await pieces.next()) {
      const bytes = piece;
      writer.use((w) => w.writeData(bytes));
      yield;
    }
    writer.use((w) => w.endFile());
    yield;
  } finally {
    await pieces.close();
  }
}

async function* data(
  { writer, signal }: Writing,
  index: number,
  columns: string[],
  source: unknown,
  what: string,
): Steps {
  const pieces = new Pieces(source, what, signal);
  try {
    writer.use((w) => w.beginEntity(index, columns));
    // Also of an empty file: the module says what is wrong with it.
    let bytes = (await pieces.next()) ?? new Uint8Array();
    for (let more: Uint8Array | undefined = bytes; more; more = await pieces.next()) {
      bytes = more;
      writer.use((w) => w.writeData(bytes));
      yield;
    }
    writer.use((w) => w.endEntity());
    yield;
  } finally {
    await pieces.close();
  }
}

async function* rows(writing: Writing, index: number, entity: EntityData): Steps {
  const { writer } = writing;
  const source = sourceOf(entity.rows, entity, writing.signal);
  let encoder: RowEncoder | undefined;
  const begin = (columns: string[]): RowEncoder => {
    writer.use((w) => w.beginEntity(index, columns));
    return new RowEncoder(entity.entity, columns, new ModuleRoom(writing));
  };
  const flush = (encoder: RowEncoder): void => {
    const chunk = encoder.take();
    if (chunk && !writer.use((w) => w.writeJoined(chunk.bytes, chunk.cells))) {
      const { text, ends, kinds } = chunk.split();
      writer.use((w) => w.writeRows(text, ends, kinds));
    }
    writing.rows(encoder.rows);
  };
  try {
    if (entity.columns) encoder = begin(entity.columns);
    while (true) {
      const step = source.next();
      const { done, value } = "then" in step ? await step : step;
      if (done) break;
      encoder ??= begin(columnsOf(value, entity.entity));
      encoder.push(value);
      if (!encoder.full) continue;
      flush(encoder);
      yield;
    }
    encoder ??= begin([]);
    flush(encoder);
    writer.use((w) => w.endEntity());
    yield;
  } finally {
    await source.close();
  }
}

const utf8 = new TextEncoder();

/** Text goes straight into the module's memory. */
class ModuleRoom implements Room {
  readonly #writing: Writing;
  #size = 0;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  put(text: string, at: number): number {
    const { loader, writer } = this.#writing;
    // A code unit takes three bytes at most.
    const needed = at + text.length * 3;
    if (needed > this.#size) this.#size = Math.max(needed, this.#size * 2);
    const ptr = writer.use((w) => w.reserve(this.#size));
    const room = new Uint8Array(loader.current().wasmMemory().buffer, ptr + at, this.#size - at);
    return utf8.encodeInto(text, room).written;
  }
}

async function* records(writing: Writing, index: number, entity: EntityData, composite: CompositeMember): Steps {
  const { writer } = writing;
  const source = sourceOf(entity.records, entity, writing.signal);
  const encoder = new RecordEncoder(entity.entity, composite);
  const flush = (): void => {
    const chunk = encoder.take();
    if (chunk) writer.use((w) => w.writeRecords(chunk.text, chunk.ends, chunk.kinds, chunk.members));
    writing.rows(encoder.rows);
  };
  try {
    writer.use((w) => w.beginEntity(index, composite.columns));
    while (true) {
      const step = source.next();
      const { done, value } = "then" in step ? await step : step;
      if (done) break;
      encoder.push(value);
      if (!encoder.full) continue;
      flush();
      yield;
    }
    flush();
    writer.use((w) => w.endEntity());
    yield;
  } finally {
    await source.close();
  }
}

/** A workbook takes its text split. */
const NO_ROOM: Room = { put: () => 0 };

/** Rows into a workbook, which is finished before it goes into the package. */
async function* workbookRows(writing: Writing, index: number, entity: EntityData): Steps {
  const { writer } = writing;
  const source = sourceOf(entity.rows, entity, writing.signal);
  let workbook: Awaited<ReturnType<typeof workbookWriter>> | undefined;
  let encoder: RowEncoder | undefined;
  let columns: string[] = [];
  const begin = async (header: string[]): Promise<RowEncoder> => {
    columns = header;
    workbook = await workbookWriter(writer.use((w) => w.workbook(index, header)));
    return new RowEncoder(entity.entity, header, NO_ROOM);
  };
  const flush = (encoder: RowEncoder): void => {
    const chunk = encoder.take()?.split();
    if (chunk) workbook?.use((w) => w.writeRows(chunk.text, chunk.ends, chunk.kinds));
    writing.rows(encoder.rows);
  };
  try {
    if (entity.columns) encoder = await begin(entity.columns);
    while (true) {
      const step = source.next();
      const { done, value } = "then" in step ? await step : step;
      if (done) break;
      encoder ??= await begin(columnsOf(value, entity.entity));
      encoder.push(value);
      if (!encoder.full) continue;
      flush(encoder);
      yield;
    }
    encoder ??= await begin([]);
    flush(encoder);
    const bytes = workbook?.use((w) => w.finish()) ?? new Uint8Array();
    yield* data(writing, index, columns, bytes, `the workbook of ${entity.entity}`);
  } finally {
    workbook?.dispose();
    await source.close();
  }
}

/** A workbook that is ready: its header is read for the maps, and its rows to see that they can be. */
async function* workbookData(writing: Writing, index: number, entity: EntityData): Steps {
  const { writer, signal } = writing;
  const what = `the data of ${entity.entity}`;
  const bytes = await readAll(entity.data, what, signal, DEFAULT_WORKBOOK);
  const at = { file: entity.fileName ?? "the workbook", entity: entity.entity };
  const open = (sheet: string | undefined) =>
    readWorkbook(bytes, { sheet, limit: DEFAULT_WORKBOOK, mapped: entity.columns ?? [] }, at);
  let workbook = await open(entity.sheet);
  let columns: string[];
  try {
    columns = workbook.use((w) => w.columns());
    if (entity.sheet === undefined) {
      // The one that the manifest will name.
      const { sheet } = JSON.parse(writer.use((w) => w.workbook(index, []))) as { sheet: string };
      workbook.dispose();
      workbook = await open(sheet);
    }
    while (workbook.use((w) => w.next(ROWS)) === Step.has) yield;
  } catch (e) {
    throw placed(e, at);
  } finally {
    workbook.dispose();
  }
  yield* data(writing, index, columns, bytes, what);
}

/** Rows of a workbook that are looked at together. */
const ROWS = 1000;

function sourceOf(given: unknown, entity: EntityData, signal: AbortSignal | undefined): Puller<unknown> {
  const what = `the ${entity.records === undefined ? "row" : "record"} source of ${entity.entity}`;
  return new Puller<unknown>(typeof given === "function" ? given() : given, what, signal);
}

function columnsOf(row: unknown, entity: string): string[] {
  // A first row that is no object is refused by the encoder, with its place.
  const columns = typeof row === "object" && row !== null && !Array.isArray(row) ? Object.keys(row) : [];
  const broken = columns.find((column) => !isWellFormed(column));
  if (broken === undefined) return columns;
  throw invalid(`a column of ${entity} has half of a surrogate pair in its name`, {
    at: { entity, line: 1, column: broken },
  });
}
