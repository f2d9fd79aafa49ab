/** An entity of an open package, and the ways to its rows. */
import { invalid, throwIfAborted } from "../errors.js";
import { Handle } from "../handle.js";
import { Reporter, type RunOptions, Turns } from "../run.js";
import { Step, type WireDescription, type WireMember, type WireModule, type WireRowCursor } from "../wire.js";
import type { Opened } from "./data-package.js";
import { decodeRows, endsOf, type RowMaker, rowMaker, textOf } from "./decode.js";
import { Feed } from "./feed.js";
import { type CompositeRecord, TreeBuilder } from "./records.js";
import type { SourceFormat } from "./spec.js";
import { openWorkbook } from "./workbook.js";

/** Rows as columns: cell i of a column is `text.slice(i ? ends[i - 1] : 0, ends[i])`. */
export interface ColumnBatch {
  rows: number;
  columns: { name: string; text: string; ends: Uint32Array }[];
}

/**
 * An entity of an open package. Every value is text; no value is the empty text. Reading fails with DATA_INVALID (with file, line and
 * column), PACKAGE_CORRUPT, PACKAGE_LIMIT, DISPOSED, ABORTED; of an EXCEL entity also with WASM_LOAD_FAILED. Leaving a loop early
 * frees everything. Progress counts rows, stage "read".
 */
export interface PackageEntity {
  /** Label of the data entity. */
  readonly entity: string;
  /** OData collection, where the catalogue knows it. */
  readonly collection?: string;
  readonly format: SourceFormat | (string & {});
  readonly fileName: string;
  /** The file's columns as the manifest maps them. */
  readonly columns: readonly string[];
  /** column → staging field. */
  readonly fields: Readonly<Record<string, string>>;
  /**
   * Whether it is a composite entity, whose records hold records: told by the word "composite" in its label, for the manifest does
   * not say. `records()` reads any XML file so.
   */
  readonly composite: boolean;
  /** The rows, one by one. */
  rows(options?: RunOptions): AsyncIterable<Record<string, string>>;
  /** Faster: up to `size` rows at a time, by default 1,000. */
  batches(size?: number, options?: RunOptions): AsyncIterable<Record<string, string>[]>;
  /** Fastest: no object per row; up to `size` rows at a time, by default 4,096. */
  columnBatches(size?: number, options?: RunOptions): AsyncIterable<ColumnBatch>;
  /** The records of a composite entity, each with everything below it. INVALID_ARGUMENT for other formats than XML. */
  records(options?: RunOptions): AsyncIterable<CompositeRecord>;
}

/**
 * Cells asked for at once while the length of rows is unknown, and bytes and cells aimed at once it is known: larger strings are
 * several times slower, a byte.
 */
const FIRST_CELLS = 4 * 1024;
const AIM = 64 * 1024;

/** Where rows come from: the package's module, or that of workbooks. */
interface Cursor {
  rows: Handle<WireRowCursor>;
  wire: () => WireModule;
  /** Absent where everything is read already. */
  feed?: Feed;
  /** Adds to an error what the module can't know. */
  failed?: (e: unknown) => unknown;
}

type Shape = "rows" | "columns" | "records";

/** A chunk where it lies in the module's memory. */
interface Chunk {
  wire: WireModule;
  rows: WireRowCursor;
  columns: readonly string[];
}

export class Entity implements PackageEntity {
  readonly entity: string;
  declare readonly collection?: string;
  readonly format: string;
  readonly fileName: string;
  readonly columns: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
  readonly composite: boolean;
  readonly #opened: Opened;
  readonly #index: number;
  readonly #sheet: string | undefined;

  constructor(opened: Opened, index: number, description: WireDescription["entities"][number]) {
    this.#opened = opened;
    this.#index = index;
    const { entity, collection, format, fileName, columns, fields, composite, sheet } = description;
    this.entity = entity;
    if (collection !== undefined) Object.defineProperty(this, "collection", { value: collection, enumerable: true });
    this.format = format;
    this.fileName = fileName;
    this.columns = columns;
    this.fields = fields;
    this.composite = composite === true;
    this.#sheet = sheet;
  }

  rows(options: RunOptions = {}): AsyncIterableIterator<Record<string, string>> {
    return new OneByOne(this.#read(options, () => Number.POSITIVE_INFINITY, this.#objects()));
  }

  batches(size = 1000, options: RunOptions = {}): AsyncGenerator<Record<string, string>[], void, undefined> {
    return this.#batches(this.#checked(size), options);
  }

  /** Chunks of the module are smaller where that is faster, and fill a batch together. */
  async *#batches(size: number, options: RunOptions): AsyncGenerator<Record<string, string>[], void, undefined> {
    let batch: Record<string, string>[] = [];
    for await (const part of this.#read(options, () => size - batch.length, this.#objects())) {
      batch = batch.length === 0 ? part : batch.concat(part);
      if (batch.length < size) continue;
      const full = batch;
      batch = [];
      yield full;
    }
    if (batch.length > 0) yield batch;
  }

  columnBatches(size = 4096, options: RunOptions = {}): AsyncGenerator<ColumnBatch, void, undefined> {
    // Workbooks come by rows.
    const decode = this.format === "EXCEL" ? transposed : columnBatch;
    const most = this.#checked(size);
    return this.#read(options, () => most, decode, "columns");
  }

  async *records(options: RunOptions = {}): AsyncGenerator<CompositeRecord, void, undefined> {
    const trees = new TreeBuilder();
    const complete = ({ wire, rows }: Chunk): CompositeRecord[] => {
      const known = JSON.parse(rows.members()) as WireMember[];
      const members = new Uint8Array(wire.wasmMemory().buffer, rows.membersPtr, rows.membersLength);
      return trees.add(textOf(wire, rows), endsOf(wire, rows), members, known);
    };
    for await (const batch of this.#read(options, () => Number.POSITIVE_INFINITY, complete, "records")) yield* batch;
    yield* trees.end();
  }

  #checked(size: number): number {
    if (Number.isInteger(size) && size >= 1) return size;
    throw invalid("a batch has at least one row", { at: { entity: this.entity } });
  }

  #objects(): (chunk: Chunk) => Record<string, string>[] {
    let Row: RowMaker | undefined;
    return ({ wire, rows, columns }) => {
      Row ??= rowMaker(columns);
      return decodeRows(rows.rows, textOf(wire, rows), endsOf(wire, rows), columns.length, Row);
    };
  }

  /** `most` says how many rows may come next. Only columns may be long: others are aimed at what is fastest. */
  async *#read<T>(
    options: RunOptions,
    most: () => number,
    decode: (chunk: Chunk) => T,
    shape: Shape = "rows",
  ): AsyncGenerator<T, void, undefined> {
    const { signal, onProgress } = options;
    throwIfAborted(signal);
    const { reader } = this.#opened;
    const cursor = await this.#cursor(shape, options);
    const reporter = new Reporter(onProgress);
    const turns = new Turns(signal);
    const next = (max: number) => {
      // The cursor may outlive the package in the module; for the caller it does not.
      reader.use(() => {});
      return cursor.rows.use((c) => c.next(max));
    };
    let done = 0;
    let columns: readonly string[] | undefined;
    let aim = Math.max(1, Math.floor(FIRST_CELLS / Math.max(1, this.columns.length)));
    try {
      while (true) {
        const step = next(shape === "columns" ? most() : Math.min(most(), aim));
        if (step === Step.end) break;
        if (step === Step.wants) {
          const given = cursor.feed?.serve(cursor.rows);
          if (given instanceof Promise) await given;
          continue;
        }
        const [decoded, rows, length] = cursor.rows.use((chunk) => {
          columns ??= chunk.columns();
          const { rows } = chunk;
          return [decode({ wire: cursor.wire(), rows: chunk, columns }), rows, chunk.textLength + chunk.endsLength];
        });
        done += rows;
        aim = Math.max(1, Math.floor((AIM * rows) / Math.max(AIM / 64, length)));
        yield decoded;
        reporter.report({ stage: "read", done, unit: "rows" });
        await turns.yield();
      }
      reporter.report({ stage: "read", done, total: done, unit: "rows" }, true);
    } catch (e) {
      throw cursor.failed ? cursor.failed(e) : e;
    } finally {
      cursor.feed?.close();
      cursor.rows.dispose();
    }
  }

  async #cursor(shape: Shape, { signal }: RunOptions): Promise<Cursor> {
    const { loader, reader, access, compressedSize } = this.#opened;
    if (this.format === "EXCEL" && shape !== "records") {
      return openWorkbook(this.#opened, this, this.#sheet, signal);
    }
    const rows = reader.use(
      (r) =>
        new Handle<WireRowCursor>(loader, "the package", () =>
          r.rows(this.#index, shape === "columns", shape === "records"),
        ),
    );
    const feed = new Feed(access, compressedSize(this.fileName), signal, reader.closing);
    return { rows, feed, wire: () => loader.current() };
  }
}

/** Rows out of batches, without the cost of a generator for each. */
class OneByOne<T> implements AsyncIterableIterator<T> {
  readonly #batches: AsyncGenerator<T[], void, undefined>;
  #batch: T[] = [];
  #at = 0;
  /** Calls that came while a batch was fetched. */
  #waiting: Promise<unknown> | undefined;

  constructor(batches: AsyncGenerator<T[], void, undefined>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#waiting && this.#at < this.#batch.length) {
      return Promise.resolve({ done: false, value: this.#batch[this.#at++] as T });
    }
    const before = this.#waiting ?? Promise.resolve();
    const after = before.then(() => this.#fetch());
    const settled = after.then(
      () => {},
      () => {},
    );
    this.#waiting = settled;
    settled.then(() => {
      if (this.#waiting === settled) this.#waiting = undefined;
    });
    return after;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#batch = [];
    await this.#batches.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #fetch(): Promise<IteratorResult<T, undefined>> {
    while (this.#at >= this.#batch.length) {
      const { done, value } = await this.#batches.next();
      if (done) return { done: true, value: undefined };
      this.#batch = value;
      this.#at = 0;
    }
    return { done: false, value: this.#batch[this.#at++] as T };
  }
}

function columnBatch({ wire, rows, columns }: Chunk): ColumnBatch {
  return {
    rows: rows.rows,
    columns: columns.map((name, i) => {
      rows.column(i);
      return { name, text: textOf(wire, rows), ends: endsOf(wire, rows).slice() };
    }),
  };
}

function transposed({ wire, rows, columns }: Chunk): ColumnBatch {
  const text = textOf(wire, rows);
  const ends = endsOf(wire, rows);
  const width = columns.length;
  return {
    rows: rows.rows,
    columns: columns.map((name, i) => {
      const cells = Array.from({ length: rows.rows }, (_, r) => {
        const cell = r * width + i;
        return text.slice(cell ? ends[cell - 1] : 0, ends[cell]);
      });
      let end = 0;
      return { name, text: cells.join(""), ends: Uint32Array.from(cells, (cell) => (end += cell.length)) };
    }),
  };
}
