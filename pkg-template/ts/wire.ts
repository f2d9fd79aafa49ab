/**
 * What the WebAssembly module exports. Generated classes never reach users: `client.ts`, `package/` and `job.ts` wrap them.
 * Everything that fails throws a `WireError` (a plain object), which `errors.ts` turns into a `ClmError`.
 */

/** Thrown, or the reason of a rejection, for every failure that the Rust side describes. */
export interface WireError {
  readonly wire: true;
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly service?: { code?: string; message?: string; inner?: string; requestId?: string; activityId?: string };
  readonly retryAfter?: number;
  readonly at?: { file?: string; entity?: string; line?: number; column?: string };
  readonly hint?: string;
  readonly result?: unknown;
  /** What JavaScript threw, where that began it: the host's getToken, fetch, a checkpoint callback. */
  readonly cause?: unknown;
}

/** How a cell was typed in JavaScript; the Rust side decides how it is written. */
export const CellKind = { text: 0, number: 1, bigint: 2, boolean: 3, date: 4, empty: 5 } as const;

/** What each cell of a joined text ends with, by CellKind; see `writeJoined`. */
export const CellEnd = ["\u001f", "\u001e", "\u001d", "\u001c", "\u001b", "\u001a"] as const;

/** Of everything that reads a package: wants bytes, has something, is at its end. The doctor also wants rows of a workbook. */
export const Step = { wants: 0, has: 1, end: 2, workbook: 3 } as const;
export type Step = (typeof Step)[keyof typeof Step];

/** Reads a package by ranges. After `Step.wants` the range is asked for and its bytes are given, then comes the next step. */
export interface WireWants {
  /** [start, end), or undefined where nothing is wanted. */
  want(): Float64Array | undefined;
  give(bytes: Uint8Array): void;
  free(): void;
}

export interface WirePackageWriter {
  /** Columns of the header, in order. `index` counts the entities of the spec. */
  beginEntity(index: number, columns: string[]): void;
  /** A pointer to room for so many bytes in the memory of the instance, for `writeJoined`. What is there already stays. */
  reserve(bytes: number): number;
  /**
   * Whole rows as UTF-8 in the reserved room, each cell followed by the CellEnd of its kind. False, and nothing is written, where
   * a cell holds such a character itself: then `writeRows` takes them.
   */
  writeJoined(bytes: number, cells: number): boolean;
  /**
   * Whole rows, cell after cell. `ends[i]` is where cell i ends in `text`, in UTF-16 code units; `kinds[i]` is its CellKind.
   * Text of a number or bigint is its String(), of a boolean "true"/"false", of a date its toISOString(), of an empty cell "".
   * `text` is well-formed UTF-16 (checked before the call).
   */
  writeRows(text: string, ends: Uint32Array, kinds: Uint8Array): void;
  /** Records of a composite in pre-order; `members[r]` is the number of record r's member, in pre-order of the spec's tree. */
  writeRecords(text: string, ends: Uint32Array, kinds: Uint8Array, members: Uint8Array): void;
  /** Instead of rows, or as content of a further file: bytes as they are, in pieces. */
  writeData(bytes: Uint8Array): void;
  endEntity(): void;
  /** What the workbook module is told of an EXCEL entity, as JSON; its maps follow from the columns. Without columns: of a file at hand. */
  workbook(index: number, columns: string[]): string;
  beginFile(name: string): void;
  endFile(): void;
  /** Output that was not taken yet; may be empty. */
  take(): Uint8Array;
  /** Ends the package; the rest is taken after it. */
  finish(): void;
  /** From now on blocks queue up instead of being deflated. */
  external(): void;
  takeBlock(): WireBlock | undefined;
  giveBlock(id: number, bytes: Uint8Array): void;
  /** Blocks queued or given out, and not yet given back. */
  readonly pending: number;
  free(): void;
}
/** What `deflateBlock` takes, in any instance of the same module. */
export interface WireBlock {
  readonly id: number;
  readonly level: number;
  readonly last: boolean;
  readonly dictionary: Uint8Array;
  readonly data: Uint8Array;
  free(): void;
}

export interface WirePackageOpener extends WireWants {
  /** Once nothing is wanted any more. */
  finish(): WirePackageReader;
}
export interface WirePackageReader {
  /** JSON of WireDescription. */
  describe(): string;
  file(name: string): WireFileCursor;
  /** `nested`: the records of a composite entity. */
  rows(entity: number, columnar: boolean, nested: boolean): WireRowCursor;
  /** `entities`: JSON of their labels. */
  subset(entities: string): WireRewriter;
  diagnose(): WireDoctor;
  repair(): WireDoctor;
  free(): void;
}
export interface WireDescription {
  name: string;
  description: string;
  entities: {
    entity: string;
    collection?: string;
    format: string;
    fileName: string;
    columns: string[];
    fields: Record<string, string>;
    composite?: boolean;
    /** EXCEL only. */
    sheet?: string;
  }[];
  files: { name: string; size: number; compressedSize: number }[];
}
/** An inflated entry; the piece is in the memory of the instance until the next call. */
export interface WireFileCursor extends WireWants {
  /** A piece of `least` bytes or a little more, as far as they can be had without further bytes of the package. */
  next(least: number): Step;
  readonly ptr: number;
  readonly length: number;
}
/** A chunk of rows in the memory of the instance, until the next call. */
export interface WireRows {
  /** Up to `max` rows. */
  next(max: number): Step;
  /** In the order of the file's header. After the first `Step.has` or `Step.end`. */
  columns(): string[];
  readonly rows: number;
  /** Columnar: says which column the text and ends are of. */
  column(index: number): void;
  /** ASCII, or else UTF-16 (little-endian), of so many bytes. */
  readonly textPtr: number;
  readonly textLength: number;
  readonly ascii: boolean;
  /** u32 each: where the cells end, in UTF-16 code units. Row-wise cell (r, c) of n columns is number r * n + c. */
  readonly endsPtr: number;
  readonly endsLength: number;
  free(): void;
}
export interface WireRowCursor extends WireRows, WireWants {
  /** Composites: u8 per row, its member; ends then follow the width of each row's own member. */
  readonly membersPtr: number;
  readonly membersLength: number;
  /** Those that were met so far, as JSON of WireMember[]. */
  members(): string;
}
export interface WireMember {
  element: string;
  parent: number | null;
  columns: string[];
}
export interface WireRewriter extends WireWants {
  step(): Step;
  take(): Uint8Array;
}
/**
 * Diagnoses, or repairs and has pieces then. After `Step.workbook` a workbook is taken and read: each pass is `beginSheet`, `giveRows` to the
 * end of the sheet, and `endSheet`.
 */
export interface WireDoctor extends WireRewriter {
  /** What was found, or corrected: JSON of Diagnostic[]. */
  result(): string;
  /** As the manifest names it; empty for the first. */
  sheet(): string;
  takeWorkbook(): Uint8Array;
  /** False where its rows are not worth reading: then nothing more is wanted of the workbook. */
  beginSheet(name: string, headerRow: number, columns: string[]): boolean;
  /** Cells of whole rows as `WireRows` has them. */
  giveRows(text: string, ends: Uint32Array): void;
  /** Whether another pass is wanted. */
  endSheet(): boolean;
  /** The error of the reader, or of loading it; nothing more is wanted of the workbook. */
  refuseWorkbook(code: string, message: string, line: number | undefined, hint: string | undefined): void;
}

/** Reads a workbook. It never wants bytes. */
export interface WireWorkbookReader extends WireRows {
  sheet(): string;
  /** 1-based; 0 for a sheet without any text. */
  headerRow(): number;
}

/** Writes the workbook that a plan of `WirePackageWriter.workbook` describes. */
export interface WireWorkbookWriter {
  writeRows(text: string, ends: Uint32Array, kinds: Uint8Array): void;
  finish(): Uint8Array;
  free(): void;
}

/** The functions of the host that the driver calls. */
export interface WireHost {
  /** The host's own; otherwise the global fetch is used. */
  fetch?: typeof fetch;
  /** `expiresOn` in milliseconds since 1970; undefined: unknown. Absent: requests go without a token (behind a relay). */
  getToken?: (request: {
    resource: string;
    scope: string;
    reason: "first" | "expiring" | "rejected";
    signal?: AbortSignal;
  }) => Promise<{ token: string; expiresOn?: number }>;
  rewriteUrl?: (url: string) => string;
  /** JSON of ClientEvent. */
  onEvent?: (event: string) => void;
}
/** Values as JSON: a bigint is a string of digits, a Date its toISOString(). */
export interface WireClient {
  list(collection: string, query: string): WirePager;
  count(collection: string, query: string, signal?: AbortSignal): Promise<number>;
  /** JSON of BatchOperation or a count; JSON of its value, or undefined where it has none. */
  run(operation: string, signal?: AbortSignal): Promise<string | undefined>;
  /** `{"operations":[…],"atomic":…,"continueOnError":…,"size":…}`; JSON of WireResult[]. */
  batch(batch: string, signal?: AbortSignal): Promise<string>;
  /** `options`: `{"collections":[…],"labels":"en-us"}`, both may be absent; result: JSON of SchemaData. */
  metadata(options: string, signal?: AbortSignal): Promise<string>;
  /** `project` as DataProject; result `{"created":false,"changed":["…"]}`. */
  ensureProject(project: string, exact: boolean, signal?: AbortSignal): Promise<string>;
  /** `entities`: JSON list of names and lines; result: the name of the export project that is kept for them. */
  ensureAdHoc(entities: string, signal?: AbortSignal): Promise<string>;
  /** JSON of `entity`, `columns`, `cells`, `keys`; JSON of `columns`, `recordId`, `message`, `found` (row, key, row, key …). */
  joinRejected(query: string): string;
  /**
   * A question about data projects, runs and messages; the answer as JSON, or undefined. `call` is "projects.get" and the like,
   * `about` as JSON names `project`, `entity`, `execution`, `message` as it needs them.
   */
  manage(call: string, about: string, signal?: AbortSignal): Promise<string | undefined>;
  /** Findings of the connection doctor, as a JSON list. */
  diagnose(signal?: AbortSignal): Promise<string>;
  /**
   * A question about contracts, agreements, the connection and links; the answer as JSON, or undefined. `about` as JSON names `of`
   * (a ContractRef, AgreementRef or ByExternalId), `row`, `ifMatch`, `status`, `lifeCycle`, `types`, `draft`, `setup`, `account`,
   * `company` as it needs them.
   */
  clm(call: string, about: string, signal?: AbortSignal): Promise<string | undefined>;
  /** `options` as JSON: `execution`, `entity`, `kind` ("staging" | "target"). */
  errorFile(options: string, signal?: AbortSignal): Promise<WireFile | undefined>;
  /** `options` as JSON: `activity`, `entity`, `company`, `externalId`. Result: the id of the message. */
  enqueue(options: string, bytes: Uint8Array, signal?: AbortSignal): Promise<string>;
  dequeue(activity: string, signal?: AbortSignal): Promise<WireMessage | undefined>;
  /** `bytes` of the source where known, for progress. Result: ImportResult without rejected(). */
  importPackage(options: string, bytes: number | undefined, hooks: WireJobHooks, signal?: AbortSignal): Promise<string>;
  exportPackage(options: string, hooks: WireJobHooks, signal?: AbortSignal): Promise<WireExport>;
  /** Goes on from a checkpoint of either kind. The options name its `project` and `executionId`, as for a new job. */
  resumeImport(
    checkpoint: string,
    options: string,
    hasSource: boolean,
    hooks: WireJobHooks,
    signal?: AbortSignal,
  ): Promise<string>;
  resumeExport(checkpoint: string, options: string, hooks: WireJobHooks, signal?: AbortSignal): Promise<WireExport>;
  /** `options`: SyncOptions without what stays in JavaScript. */
  syncPass(options: string): WireSyncPass;
  /** JSON of SyncStatus[]. */
  syncStatus(options: string, hooks: WireJobHooks, signal?: AbortSignal): Promise<string>;
  syncReset(options: string, entity: string | undefined, hooks: WireJobHooks, signal?: AbortSignal): Promise<void>;
  free(): void;
}
/** One pass through all lines of a sync; one call at a time. */
export interface WireSyncPass {
  /** JSON of SyncBatch without commit(), or undefined when all lines are up to date. */
  next(hooks: WireJobHooks, signal?: AbortSignal): Promise<string | undefined>;
  commit(id: string, hooks: WireJobHooks, signal?: AbortSignal): Promise<void>;
  free(): void;
}
/** Which rows the service named by key. */
export interface WireJoined {
  /** Places of the key's columns; none where they are not known. */
  columns: number[];
  /** Places of the columns of a file of keys. */
  recordId?: number;
  message?: number;
  /** Row, key, row, key … */
  found: number[];
}
/** What came of one operation of a batch. */
export type WireResult =
  | { ok: true; status: number; value?: unknown }
  | { ok: false; error: Omit<WireError, "wire" | "cause"> };
/** Reads `$metadata` in pieces. */
export interface WireMetadataReader {
  push(bytes: Uint8Array): void;
  /** JSON of SchemaData. */
  finish(): string;
  free(): void;
}
/** JSON `{"items":[…],"count":n}` of the next page, or undefined after the last. */
export interface WirePager {
  /** A JSON list of records; behind those of a page `{}` or `{"count":n}`; "" where nothing has come yet; undefined at the end. */
  take(): string | undefined;
  /** Until there is something to take, or the pager is freed. One at a time. */
  wait(): Promise<void>;
  free(): void;
}
/** A file of the service. Of `size` and `whole` nothing is known before the first range was read. */
export interface WireFile {
  /** The bytes [start, end), fewer at the end of the file; all of it where the server hands out nothing less. */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
  readonly size: number | undefined;
  /** The first range was all of the file. */
  readonly whole: boolean;
  free(): void;
}
export interface WireMessage {
  readonly id: string;
  readonly lastDequeued: string | undefined;
  file(): WireFile;
  acknowledge(signal?: AbortSignal): Promise<void>;
  free(): void;
}
export interface WireExport {
  readonly result: string;
  takeBytes(): Uint8Array;
  free(): void;
}
export interface WireJobHooks {
  /** JSON of the checkpoint. Awaited before any request that the service could act on; a rejection stops the job unsent. */
  onCheckpoint(checkpoint: string): Promise<void>;
  /** JSON of JobEvent. */
  onEvent(event: string): void;
  /** Bytes of the source, fewer only at its end; in order, or from the beginning again. */
  read(start: number, end: number): Promise<Uint8Array>;
  load(key: string): Promise<{ value: string; version: string } | undefined>;
  /** The new version; rejects with CHECKPOINT_CONFLICT. */
  store(key: string, value: string, ifVersion: string | undefined): Promise<string>;
}

/**
 * A filter as JSON: `{"op":"eq"|"ne"|"gt"|"ge"|"lt"|"le"|"like","p":"Name","v":V}`, `{"op":"anyOf","p":…,"v":[V]}`,
 * `{"op":"and"|"or","x":[F]}`, `{"op":"not","x":[F]}`; V is `{"t":"s"|"n"|"d"|"b"|"z","v":"…"}` (text, number or bigint, date,
 * boolean, null) or `{"t":"e","enum":"…","v":"member"}`. A query's `filter` is this object, or a string that is sent as it is.
 */
export type WireFilter = Record<string, unknown>;

/** What the glue of every module exports. */
export interface WireModule {
  /** The web loader of wasm-bindgen; always called with a source. */
  default(input: {
    module_or_path: WebAssembly.Module | BufferSource | Response | Promise<Response> | URL | string;
  }): Promise<unknown>;
  initSync(input: { module: WebAssembly.Module | BufferSource }): unknown;
  version(): string;
  /** Of the present instance. */
  wasmMemory(): WebAssembly.Memory;
  /** Makes a fresh instance; there where the glue was generated so. */
  readonly __wbg_reset_state?: (() => void) | undefined;
  /** The callback gets the place of a panic in the source, before the trap reaches JavaScript. */
  readonly onPanic?: ((callback: (place: string) => void) => void) | undefined;
}

/** The module for packages. */
export interface WirePackages extends WireModule {
  /** `spec`: PackageSpec as JSON without rows, data, files; with `level`. */
  PackageWriter: new (
    spec: string,
  ) => WirePackageWriter;
  /** `options`: `{"limits":{…},"schema":{…},"lenient":true}` as JSON; all may be absent. */
  PackageOpener: new (
    size: number,
    options: string,
  ) => WirePackageOpener;
  deflateBlock(level: number, last: boolean, dictionary: Uint8Array, data: Uint8Array): Uint8Array;
}

/** The module for everything but workbooks. */
export interface Wire extends WirePackages {
  /** `options`: ClientOptions as JSON without its functions, plus `pageOrigin` when in a page or worker of one. */
  Client: new (
    options: string,
    host: WireHost,
  ) => WireClient;
  /** JSON of a need; JSON of `{ pattern, reason }`. */
  choosePattern(need: string): string;
  /** `{"baseUrl":…,"company":…,"schema":…}` with `operation`, or with what `batch` takes; JSON of HttpRequest. */
  shapeRequest(wanted: string): string;
  /**
   * `{"method":…,"url":…,"sent":{…},"body":…,"status":…,"headers":{…},"schema":…,"numbers":…}`, `sent` being the headers of the
   * request; JSON of the value, or undefined where there is none.
   */
  readAnswer(answer: string, body: Uint8Array): string | undefined;
  MetadataReader: new (collections?: string[] | null) => WireMetadataReader;
  /** JSON of Drift[]; `schema`: JSON of SchemaData. */
  schemaDrift(schema: string): string;
  schemaTypes(schema: string, collections?: string[] | null): string;
}

/** The module for workbooks. */
export interface WireWorkbooks extends WireModule {
  /** Of each column its name, its header and its target, one after another. */
  WorkbookWriter: new (
    sheet: string,
    columns: string[],
  ) => WireWorkbookWriter;
  WorkbookReader: new (
    bytes: Uint8Array,
    sheet: string | undefined,
    limit: number,
    mapped: string[],
  ) => WireWorkbookReader;
}
