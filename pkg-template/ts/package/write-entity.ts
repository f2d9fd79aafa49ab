/** The content of one entity on its way into the writer. Each yields when output may be there, and when others should have a turn. */
import { invalid } from "../errors.js";
import type { Handle } from "../handle.js";
import type { Loader } from "../loader.js";
import type { WirePackages, WirePackageWriter } from "../wire.js";
import { isWellFormed } from "./cells.js";
import { type Chunk, RowEncoder } from "./encode.js";
import { DEFAULT_WORKBOOK } from "./limits.js";
import { RecordEncoder } from "./records.js";
import { Pieces, Puller, readAll } from "./sources.js";
import type { CompositeMember, EntityData } from "./spec.js";
import { readWorkbook, workbookWriter } from "./workbook.js";

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
    for (let piece = await pieces.next(); piece; piece = await pieces.next()) {
      const bytes = piece;
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
    return new RowEncoder(entity.entity, columns);
  };
  const flush = (chunk: Chunk | undefined): void => {
    if (chunk) writeChunk(writing, chunk);
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
      flush(encoder.take());
      writing.rows(encoder.rows);
      yield;
    }
    encoder ??= begin([]);
    flush(encoder.take());
    writer.use((w) => w.endEntity());
    writing.rows(encoder.rows);
    yield;
  } finally {
    await source.close();
  }
}

const utf8 = new TextEncoder();

function writeChunk({ loader, writer }: Writing, chunk: Chunk): void {
  const { joined, cells } = chunk;
  // A code unit takes three bytes at most.
  const room = joined.length * 3;
  const ptr = writer.use((w) => w.reserve(room));
  const { written } = utf8.encodeInto(joined, new Uint8Array(loader.current().wasmMemory().buffer, ptr, room));
  if (writer.use((w) => w.writeJoined(written, cells))) return;
  const { text, ends, kinds } = chunk.split();
  writer.use((w) => w.writeRows(text, ends, kinds));
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
    return new RowEncoder(entity.entity, header);
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
  const what = `the data of ${entity.entity}`;
  const bytes = await readAll(entity.data, what, writing.signal, DEFAULT_WORKBOOK);
  const at = { file: entity.fileName ?? "the workbook", entity: entity.entity };
  const { sheet } = entity;
  const workbook = await readWorkbook(bytes, { sheet, limit: DEFAULT_WORKBOOK, mapped: entity.columns ?? [] }, at);
  let columns: string[];
  try {
    workbook.use((w) => w.next(1));
    columns = workbook.use((w) => w.columns());
  } finally {
    workbook.dispose();
  }
  yield* data(writing, index, columns, bytes, what);
}

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
