/** Data packages: building them out of rows and files, opening them, and their rows. */
/// <reference lib="esnext.disposable" preserve="true" />
import { invalid, throwIfAborted } from "./errors.js";
import { Handle } from "./handle.js";
import { loader } from "./init.js";
import { objectToJson, toJson } from "./json.js";
import { decodeRows, isWellFormed, RowEncoder } from "./rows.js";
import { Reporter, type RunOptions, Turns } from "./run.js";
import { type ByteSource, concat, isByteSource, Puller, type RowSource, readAll } from "./sources.js";
import type {
  WireDescription,
  WireFileCursor,
  WirePackageReader,
  WirePackageWriter,
  WireRowCursor,
  WireWants,
} from "./wire.js";

/** Formats of a data file that can be built and read. Others are listed when a package is opened, but not read yet. */
export type SourceFormat = "CSV-Unicode" | "CSV";

/** What a package is built from. */
export interface PackageSpec {
  /** Data project (definition group) that the manifest names. */
  name: string;
  /** Default: empty. */
  description?: string;
  /** At least one. */
  entities: EntityData[];
  /** Further entries, passed through as they are. */
  files?: { name: string; data: ByteSource }[];
  /** Deflate level 0–9. The same spec gives the same bytes on every runtime. */
  level?: number;
}

/** How an entity takes part in a data project. */
export interface EntityLine {
  /** Label of the data entity ("Vendors V2"), or the OData collection of a catalogued one ("VendorsV2"). */
  entity: string;
  /** Default "CSV-Unicode". */
  format?: SourceFormat;
  sheet?: string;
  /** Units run side by side. Default 1. */
  executionUnit?: number;
  /** Levels of a unit run one after another. Default 1. */
  level?: number;
  /** Order within a level. Default 1 in a package; in a data project the place among its lines. */
  sequence?: number;
  /** A failure of this entity ends its level. Default false. */
  failLevelOnError?: boolean;
  /** A failure of this entity ends its unit. Default false. */
  failExecutionUnitOnError?: boolean;
  /** Insert and update methods of the target run. Default true. */
  runBusinessLogic?: boolean;
  /** `validateWrite` of the target runs. Default true. */
  runBusinessValidation?: boolean;
  /** Rows go to the target without staging. Default false. */
  skipStaging?: boolean;
  /** Left out of runs. Default false. */
  disabled?: boolean;
  /** What an export takes: all rows, or those changed since the last run. Default "FullPush". */
  refresh?: "FullPush" | "IncrementalPush";
}

/** One entity of a package, with its rows or its file. */
export interface EntityData extends EntityLine {
  /** Rows to be written … */
  rows?: RowSource | (() => RowSource);
  /** … or a file that is already in `format`, taken as it is after its header is read. Exactly one of the two. */
  data?: ByteSource;
  /** Header order; default: the keys of the first row. A row with any other key is an error, never a dropped value. */
  columns?: string[];
  /** column → staging field; default: the upper-case column name. */
  fields?: Record<string, string>;
  /** Default: the label without what file systems forbid. */
  fileName?: string;
  /** Name of the target entity in the application; default: the catalogue's. */
  targetEntity?: string;
}

/**
 * Limits against damaged and hostile packages; exceeding one is PACKAGE_LIMIT. Defaults: 10,000 entries; 64 GiB an entry,
 * 256 GiB in all; ratio 1,032; XML depth 64; spool 64 MiB.
 */
export interface Limits {
  entries?: number;
  /** Inflated bytes of an entry. */
  entryBytes?: number;
  /** Inflated bytes of all entries. */
  totalBytes?: number;
  /** Inflated to deflated bytes of an entry. */
  ratio?: number;
  xmlDepth?: number;
  /** Bytes held of a source that can only be read forwards (a stream, a Response). */
  spool?: number;
}

/** Units of a data file handed over at once: 256 KiB. */
const PIECE = 256 * 1024;

/**
 * Builds a data package.
 *
 * Rows are taken one by one as the package grows. `onProgress` counts rows, stage "build".
 *
 * @throws {ClmError} INVALID_ARGUMENT for a value or key that can't be written, with row and column in `at`; DATA_INVALID for a
 * file that the service would refuse; PACKAGE_LIMIT; ABORTED.
 * @example
 * const zip = await buildPackage({
 *   name: "CLM-Import",
 *   entities: [{ entity: "CLM integration contract types", rows: [{ Name: "NDA", Description: "Non-disclosure agreement" }] }],
 * });
 */
export async function buildPackage(spec: PackageSpec, options: RunOptions = {}): Promise<Uint8Array> {
  const { signal } = options;
  throwIfAborted(signal);
  checkSpec(spec);
  const { entities, files = [], ...rest } = spec;
  const lines = entities.map(({ rows, data, ...line }) => line);
  const text = objectToJson({ ...rest, entities: lines }, "the package");
  const wire = await loader.ready();
  const writer = new Handle(loader, "the package writer", () => new wire.PackageWriter(text));
  try {
    const reporter = new Reporter(options.onProgress);
    let done = 0;
    for (const [index, entity] of entities.entries()) {
      done = await writeEntity(writer, index, entity, signal, reporter, done);
    }
    for (const { name, data } of files) {
      const bytes = await readAll(data, `file "${name}"`, signal, Number.POSITIVE_INFINITY);
      writer.use((w) => {
        w.beginFile(name);
        w.writeData(bytes);
        w.endFile();
      });
    }
    throwIfAborted(signal);
    const zip = writer.use((w) => {
      const head = w.take();
      w.finish();
      return concat([head, w.take()]);
    });
    reporter.report({ stage: "build", done, total: done, unit: "rows" }, true);
    return zip;
  } finally {
    writer.dispose();
  }
}

type Writer = Handle<WirePackageWriter>;

async function writeEntity(
  writer: Writer,
  index: number,
  entity: EntityData,
  signal: AbortSignal | undefined,
  reporter: Reporter,
  before: number,
): Promise<number> {
  const { data, rows } = entity;
  if (data !== undefined) {
    writer.use((w) => w.beginEntity(index, entity.columns ?? []));
    const bytes = await readAll(data, `the data of ${entity.entity}`, signal, Number.POSITIVE_INFINITY);
    const turns = new Turns(signal);
    // Also for an empty file: the module says what is wrong with it.
    for (let at = 0; at === 0 || at < bytes.length; at += PIECE) {
      writer.use((w) => w.writeData(bytes.subarray(at, at + PIECE)));
      await turns.yield();
    }
    writer.use((w) => w.endEntity());
    return before;
  }
  const what = `the row source of ${entity.entity}`;
  const source = new Puller<unknown>(typeof rows === "function" ? rows() : rows, what, signal);
  let encoder: RowEncoder | undefined;
  const begin = (columns: string[]): RowEncoder => {
    writer.use((w) => w.beginEntity(index, columns));
    return new RowEncoder(entity.entity, columns);
  };
  const flush = (encoder: RowEncoder): void => {
    const chunk = encoder.take();
    if (!chunk) return;
    writer.use((w) => w.writeRows(chunk.text, chunk.ends, chunk.kinds));
    reporter.report({ stage: "build", done: before + encoder.rows, unit: "rows" });
  };
  try {
    if (entity.columns) encoder = begin(entity.columns);
    const turns = new Turns(signal);
    while (true) {
      const step = source.next();
      const { done, value } = "then" in step ? await step : step;
      if (done) break;
      encoder ??= begin(columnsOf(value, entity.entity));
      encoder.push(value);
      if (encoder.full) {
        flush(encoder);
        await turns.yield();
      }
    }
    encoder ??= begin([]);
    flush(encoder);
    writer.use((w) => w.endEntity());
  } finally {
    await source.close();
  }
  return before + encoder.rows;
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

function checkSpec(spec: PackageSpec): void {
  if (typeof spec !== "object" || spec === null) throw invalid("a package is built from an object");
  if (!Array.isArray(spec.entities)) throw invalid("`entities` of the package must be an array");
  for (const [i, entity] of spec.entities.entries()) {
    if (typeof entity !== "object" || entity === null || typeof entity.entity !== "string") {
      throw invalid(`entities[${i}] has no \`entity\``, {
        hint: 'Give the label of the data entity, for example "Vendors V2".',
      });
    }
    if ((entity.rows === undefined) === (entity.data === undefined)) {
      const which = entity.rows === undefined ? "neither rows nor data" : "both rows and data";
      throw invalid(`${entity.entity} has ${which}`, { at: { entity: entity.entity }, hint: "Give one of them." });
    }
    if (entity.columns !== undefined && !isTexts(entity.columns)) {
      throw invalid(`\`columns\` of ${entity.entity} must be an array of texts`, { at: { entity: entity.entity } });
    }
  }
  if (spec.files !== undefined && !Array.isArray(spec.files)) throw invalid("`files` of the package must be an array");
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string" && isWellFormed(one));
}

/**
 * Opens a data package: its header, its manifest and its entities are read, the rows when they are asked for.
 *
 * A stream or Response is held in memory up to `limits.spool` bytes.
 *
 * @throws {ClmError} NOT_A_PACKAGE, PACKAGE_CORRUPT, PACKAGE_LIMIT, MANIFEST_INVALID, INVALID_ARGUMENT, ABORTED
 * @example
 * using opened = await openPackage(bytes);
 * for await (const vendor of opened.entity("VendorsV2")!.rows()) console.log(vendor.VENDORACCOUNTNUMBER);
 */
export async function openPackage(
  source: ByteSource | Response,
  options: RunOptions & { limits?: Limits } = {},
): Promise<DataPackage> {
  const { signal, limits } = options;
  throwIfAborted(signal);
  const text = toJson(limits === undefined ? {} : { limits }, "the limits");
  const bytes = await readAll(bodyOf(source), "the package", signal, limits?.spool);
  new Reporter(options.onProgress).report(
    { stage: "open", done: bytes.length, total: bytes.length, unit: "bytes" },
    true,
  );
  return packageOf(bytes, text);
}

/** The package in these bytes. */
export async function packageOf(bytes: Uint8Array, options = "{}"): Promise<DataPackage> {
  const wire = await loader.ready();
  const opener = new Handle(loader, "the package", () => new wire.PackageOpener(bytes.length, options));
  try {
    while (opener.use((o) => feed(o, bytes)));
    return DataPackage.open(new Handle(loader, "the package", () => opener.use((o) => o.finish())), bytes);
  } finally {
    opener.dispose();
  }
}

/** Gives the bytes that are wanted; false where none are. */
function feed(wants: WireWants, bytes: Uint8Array): boolean {
  const range = wants.want();
  if (!range) return false;
  wants.give(bytes.subarray(range[0], range[1]));
  return true;
}

/** A copy of what lies there in the module's memory. */
function copyOf(ptr: number, length: number): Uint8Array {
  return new Uint8Array(loader.current().wasmMemory().buffer, ptr, length).slice();
}

function bodyOf(source: unknown): unknown {
  if (isByteSource(source)) return source;
  const { body, ok, status } = (source ?? {}) as Partial<Response>;
  if (typeof status !== "number") {
    throw invalid("a package is opened from bytes, a Blob, a stream or a Response", {
      hint: "For a URL pass `await fetch(url)`. Reading a package by ranges is not available yet.",
    });
  }
  if (!ok) throw invalid(`the response has status ${status}: it is not the package`, { status });
  return body ?? new Uint8Array();
}

/** An open package. Holds memory of the module until `dispose()`. */
export class DataPackage {
  /** Data project (definition group) that the manifest names. */
  readonly name: string;
  readonly description: string;
  readonly entities: readonly PackageEntity[];
  /** All entries of the zip, with header and manifest. Sizes in bytes. */
  readonly files: readonly { name: string; size: number; compressedSize: number }[];
  readonly #reader: Handle<WirePackageReader>;
  readonly #bytes: Uint8Array;
  declare readonly [Symbol.dispose]: () => void;

  private constructor(reader: Handle<WirePackageReader>, bytes: Uint8Array) {
    this.#reader = reader;
    this.#bytes = bytes;
    const description = JSON.parse(reader.use((r) => r.describe())) as WireDescription;
    this.name = description.name;
    this.description = description.description;
    this.entities = description.entities.map((entity, index) => new Entity(reader, bytes, index, entity));
    this.files = description.files;
  }

  static {
    // Not every browser knows the symbol yet.
    if (Symbol.dispose) {
      Object.defineProperty(DataPackage.prototype, Symbol.dispose, { value: DataPackage.prototype.dispose });
    }
  }

  /** @internal */
  static open(reader: Handle<WirePackageReader>, bytes: Uint8Array): DataPackage {
    try {
      return new DataPackage(reader, bytes);
    } catch (e) {
      reader.dispose();
      throw e;
    }
  }

  /** The entity of that label or OData collection. */
  entity(nameOrCollection: string): PackageEntity | undefined {
    return this.entities.find(
      ({ entity, collection }) => entity === nameOrCollection || collection === nameOrCollection,
    );
  }

  /**
   * An entry of the zip, inflated. The stream fails with NOT_FOUND for a name that `files` lacks, and with PACKAGE_CORRUPT where
   * the entry is damaged. A BYOB reader fills the caller's own buffer.
   */
  file(name: string): ReadableStream<Uint8Array> {
    const read = () => {
      const cursor = this.#reader.use((r) => new Handle<WireFileCursor>(loader, "the package", () => r.file(name)));
      const parts: Uint8Array[] = [];
      try {
        for (let state = 0; state !== 2; ) {
          state = cursor.use((c) => c.next(PIECE));
          if (state === 1) parts.push(cursor.use((c) => copyOf(c.ptr, c.length)));
          else if (state === 0) cursor.use((c) => feed(c, this.#bytes));
        }
      } finally {
        cursor.dispose();
      }
      return concat(parts);
    };
    return streamOf(read);
  }

  /** Frees the memory; idempotent. Rows that are being read end with DISPOSED. */
  dispose(): void {
    this.#reader.dispose();
  }
}

/** The bytes as a stream, got when the first of them is asked for. */
export function streamOf(get: () => Uint8Array): ReadableStream<Uint8Array> {
  let bytes: Uint8Array | undefined;
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      bytes ??= get();
      if (at < bytes.length) {
        controller.enqueue(bytes.slice(at, at + PIECE));
        at += PIECE;
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

/** An entity of an open package. */
export interface PackageEntity {
  /** Label of the data entity. */
  readonly entity: string;
  /** OData collection, where the catalogue knows it. */
  readonly collection?: string;
  readonly format: SourceFormat | (string & {});
  readonly fileName: string;
  /** Header of the data file. */
  readonly columns: readonly string[];
  /** column → staging field. */
  readonly fields: Readonly<Record<string, string>>;
  /**
   * The rows, one by one. Every value is text; no value is the empty text.
   * @throws {ClmError} DATA_INVALID with file, line and column; PACKAGE_CORRUPT, PACKAGE_LIMIT, DISPOSED, ABORTED
   */
  rows(options?: RunOptions): AsyncIterable<Record<string, string>>;
  /** Faster: up to `size` rows at a time, by default 1,000. */
  batches(size?: number, options?: RunOptions): AsyncIterable<Record<string, string>[]>;
}

/** Rows asked for at once while the length of rows is unknown, and UTF-16 code units and cells aimed at once it is known. */
const FIRST_ROWS = 1024;
const AIM = 256 * 1024;

class Entity implements PackageEntity {
  readonly entity: string;
  declare readonly collection?: string;
  readonly format: string;
  readonly fileName: string;
  readonly columns: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
  readonly #reader: Handle<WirePackageReader>;
  readonly #bytes: Uint8Array;
  readonly #index: number;

  constructor(
    reader: Handle<WirePackageReader>,
    bytes: Uint8Array,
    index: number,
    description: WireDescription["entities"][number],
  ) {
    this.#reader = reader;
    this.#bytes = bytes;
    this.#index = index;
    const { entity, collection, format, fileName, columns, fields } = description;
    this.entity = entity;
    if (collection !== undefined) Object.defineProperty(this, "collection", { value: collection, enumerable: true });
    this.format = format;
    this.fileName = fileName;
    this.columns = columns;
    this.fields = fields;
  }

  async *rows(options: RunOptions = {}): AsyncGenerator<Record<string, string>, void, undefined> {
    for await (const batch of this.#read(undefined, options)) yield* batch;
  }

  batches(size = 1000, options: RunOptions = {}): AsyncGenerator<Record<string, string>[], void, undefined> {
    if (!Number.isInteger(size) || size < 1)
      throw invalid("a batch has at least one row", { at: { entity: this.entity } });
    return this.#read(size, options);
  }

  async *#read(
    size: number | undefined,
    { signal, onProgress }: RunOptions,
  ): AsyncGenerator<Record<string, string>[], void, undefined> {
    throwIfAborted(signal);
    const cursor = this.#reader.use(
      (r) => new Handle<WireRowCursor>(loader, "the package", () => r.rows(this.#index, false)),
    );
    const reporter = new Reporter(onProgress);
    const turns = new Turns(signal);
    let done = 0;
    let columns: string[] = [];
    let wanted = size ?? FIRST_ROWS;
    try {
      while (true) {
        // The cursor may outlive the package in the module; for the caller it does not.
        this.#reader.use(() => {});
        const state = cursor.use((c) => c.next(wanted));
        if (state === 0) {
          cursor.use((c) => feed(c, this.#bytes));
          continue;
        }
        if (state === 2) break;
        // In the order of the file, which need not be that of the maps.
        if (done === 0) columns = cursor.use((c) => c.columns());
        const { rows, text, ends } = cursor.use((c) => ({
          rows: c.rows,
          text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(copyOf(c.textPtr, c.textLength)),
          ends: new Uint32Array(copyOf(c.endsPtr, c.endsLength * 4).buffer),
        }));
        done += rows;
        if (size === undefined)
          wanted = Math.max(1, Math.floor((AIM * rows) / Math.max(AIM / 64, text.length + ends.length)));
        yield decodeRows(rows, text, ends, columns);
        reporter.report({ stage: "read", done, unit: "rows" });
        await turns.yield();
      }
      reporter.report({ stage: "read", done, total: done, unit: "rows" }, true);
    } finally {
      cursor.dispose();
    }
  }
}
