/** An entity of an open package, and the ways to its rows. */
import { invalid, throwIfAborted } from "../errors.js";
import { Handle } from "../handle.js";
import { Reporter, type RunOptions, Turns } from "../run.js";
import { Step, type WireDescription, type WireMember, type WireModule, type WireRowCursor } from "../wire.js";
import type { Opened } from "./data-package.js";
import { decodeRows, endsOf, textOf } from "./decode.js";
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
  /** Whether it is a composite entity: those have `records()`, the others rows. */
  readonly composite: boolean;
  /** The rows, one by one. */
  rows(options?: RunOptions): AsyncIterable<Record<string, string>>;
  /** Faster: up to `size` rows at a time, by default 1,000. */
  batches(size?: number, options?: RunOptions): AsyncIterable<Record<string, string>[]>;
  /** Fastest: no object per row; up to `size` rows at a time, by default 4,096. */
  columnBatches(size?: number, options?: RunOptions): AsyncIterable<ColumnBatch>;
  /** The records of a composite entity, each with everything below it. */
  records(options?: RunOptions): AsyncIterable<CompositeRecord>;
}

/** Cells asked for at once while the length of rows is unknown, and UTF-16 code units and cells aimed at once it is known. */
const FIRST_CELLS = 8 * 1024;
const AIM = 256 * 1024;

/** Where rows come from: the package's module, or that of workbooks. */
interface Cursor {
  rows: Handle<WireRowCursor>;
  wire: () => WireModule;
  /** Absent where everything is read already. */
  feed?: Feed;
  /** Adds to an error what the module can't know. */
  failed?: (e: unknown) => unknown;
}

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

  async *rows(options: RunOptions = {}): AsyncGenerator<Record<string, string>, void, undefined> {
    for await (const batch of this.#read(undefined, options, objects)) yield* batch;
  }

  batches(size = 1000, options: RunOptions = {}): AsyncGenerator<Record<string, string>[], void, undefined> {
    return this.#read(this.#checked(size), options, objects);
  }

  columnBatches(size = 4096, options: RunOptions = {}): AsyncGenerator<ColumnBatch, void, undefined> {
    // Workbooks come by rows.
    const decode = this.format === "EXCEL" ? transposed : columnBatch;
    return this.#read(this.#checked(size), options, decode, true);
  }

  async *records(options: RunOptions = {}): AsyncGenerator<CompositeRecord, void, undefined> {
    if (!this.composite) {
      throw invalid(`${this.entity} is not composite: it has rows, not records`, {
        at: { entity: this.entity },
        hint: "Use rows(), batches() or columnBatches().",
      });
    }
    let trees: TreeBuilder | undefined;
    const complete = ({ wire, rows }: Chunk): CompositeRecord[] => {
      trees ??= new TreeBuilder(JSON.parse(rows.members()) as WireMember[]);
      const members = new Uint8Array(wire.wasmMemory().buffer, rows.membersPtr, rows.membersLength).slice();
      return trees.add(textOf(wire, rows), endsOf(wire, rows), members);
    };
    for await (const batch of this.#read(undefined, options, complete, false, true)) yield* batch;
    yield* trees?.end() ?? [];
  }

  #checked(size: number): number {
    if (Number.isInteger(size) && size >= 1) return size;
    throw invalid("a batch has at least one row", { at: { entity: this.entity } });
  }

  async *#read<T>(
    size: number | undefined,
    options: RunOptions,
    decode: (chunk: Chunk) => T,
    columnar = false,
    composite = false,
  ): AsyncGenerator<T, void, undefined> {
    const { signal, onProgress } = options;
    throwIfAborted(signal);
    if (this.composite !== composite) {
      throw invalid(`${this.entity} is composite: it has records, not rows`, {
        at: { entity: this.entity },
        hint: "Use records().",
      });
    }
    const { reader } = this.#opened;
    const cursor = await this.#cursor(columnar, options);
    const reporter = new Reporter(onProgress);
    const turns = new Turns(signal);
    const next = (max: number) => {
      // The cursor may outlive the package in the module; for the caller it does not.
      reader.use(() => {});
      return cursor.rows.use((c) => c.next(max));
    };
    let done = 0;
    let columns: readonly string[] | undefined;
    let wanted = size ?? Math.max(1, Math.floor(FIRST_CELLS / Math.max(1, this.columns.length)));
    try {
      while (true) {
        const step = next(wanted);
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
        if (size === undefined) wanted = Math.max(1, Math.floor((AIM * rows) / Math.max(AIM / 64, length)));
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

  async #cursor(columnar: boolean, { signal }: RunOptions): Promise<Cursor> {
    const { loader, reader, access, compressedSize } = this.#opened;
    if (this.format === "EXCEL") {
      return openWorkbook(this.#opened, this, this.#sheet, signal);
    }
    const rows = reader.use(
      (r) => new Handle<WireRowCursor>(loader, "the package", () => r.rows(this.#index, columnar)),
    );
    const feed = new Feed(access, compressedSize(this.fileName), signal, reader.closing);
    return { rows, feed, wire: () => loader.current() };
  }
}

function objects({ wire, rows, columns }: Chunk): Record<string, string>[] {
  return decodeRows(rows.rows, textOf(wire, rows), endsOf(wire, rows), columns);
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
