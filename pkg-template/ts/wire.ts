/**
 * What the WebAssembly module exports. Generated classes never reach users: `client.ts`, `package.ts` and `job.ts` wrap them.
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

export interface WirePackageWriter {
  /** Columns of the header, in order. `index` counts the entities of the spec. */
  beginEntity(index: number, columns: string[]): void;
  /**
   * Whole rows, cell after cell. `ends[i]` is where cell i ends in `text`, in UTF-16 code units; `kinds[i]` is its CellKind.
   * Text of a number or bigint is its String(), of a boolean "true"/"false", of a date its toISOString(), of an empty cell "".
   * `text` is well-formed UTF-16 (checked before the call).
   */
  writeRows(text: string, ends: Uint32Array, kinds: Uint8Array): void;
  /** Instead of rows: the file, already in its format; its header is read and its columns mapped. Call once, or in chunks. */
  writeData(bytes: Uint8Array): void;
  endEntity(): void;
  /** A further entry; its content comes by writeData. */
  beginFile(name: string): void;
  endFile(): void;
  /** The bytes since the last call, perhaps none. */
  take(): Uint8Array;
  /** Completes the package, whose end is then to be taken; later calls are DISPOSED. */
  finish(): void;
  free(): void;
}
/** Reading calls answer 0: bytes of the package are wanted, 1: there is something, 2: the end. */
export interface WireWants {
  /** Start and end of the range that is wanted. */
  want(): Float64Array | undefined;
  give(bytes: Uint8Array): void;
  free(): void;
}
export interface WirePackageOpener extends WireWants {
  /** Once nothing is wanted. */
  finish(): WirePackageReader;
}
export interface WirePackageReader {
  /** JSON of WireDescription. */
  describe(): string;
  file(name: string): WireFileCursor;
  rows(entity: number, columnar: boolean): WireRowCursor;
  free(): void;
}
/** The content of an entry. The piece lies in the module's memory until the next call. */
export interface WireFileCursor extends WireWants {
  next(least: number): number;
  readonly ptr: number;
  readonly length: number;
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
  }[];
  files: { name: string; size: number; compressedSize: number }[];
}
export interface WireRowCursor extends WireWants {
  /** Up to `max` rows. Cell (r, c) of n columns is number r * n + c; ends as in writeRows. */
  next(max: number): number;
  /** Columns in the order of the file's header, once `next` has answered 1 or 2: cell (r, c) belongs to number c of these. */
  columns(): string[];
  readonly rows: number;
  /** The column that the following are of, for a columnar cursor. */
  column(index: number): void;
  /** The text as UTF-8 and the ends as 32-bit numbers, in the module's memory until the next call. */
  readonly textPtr: number;
  readonly textLength: number;
  readonly ascii: boolean;
  readonly endsPtr: number;
  readonly endsLength: number;
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
  get(collection: string, key: string, query: string, signal?: AbortSignal): Promise<string | undefined>;
  create(collection: string, value: string, signal?: AbortSignal): Promise<string>;
  update(
    collection: string,
    key: string,
    patch: string,
    ifMatch: string | undefined,
    signal?: AbortSignal,
  ): Promise<void>;
  delete(collection: string, key: string, ifMatch: string | undefined, signal?: AbortSignal): Promise<void>;
  /** JSON of the result's value, or undefined for an action without result. */
  action(
    collection: string,
    name: string,
    parameters: string,
    key: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined>;
  /** `project` as DataProject; result `{"created":false,"changed":["…"]}`. */
  ensureProject(project: string, exact: boolean, signal?: AbortSignal): Promise<string>;
  /** One job at a time: a second one while the first runs is CONFLICT. Result: ImportResult without rejected(). */
  importPackage(options: string, source: Uint8Array, hooks: WireJobHooks, signal?: AbortSignal): Promise<string>;
  exportPackage(options: string, hooks: WireJobHooks, signal?: AbortSignal): Promise<WireExport>;
  /** Goes on from a checkpoint of either kind. The options name its `project` and `executionId`, as for a new job. */
  resumeImport(
    checkpoint: string,
    options: string,
    source: Uint8Array | undefined,
    hooks: WireJobHooks,
    signal?: AbortSignal,
  ): Promise<string>;
  resumeExport(checkpoint: string, options: string, hooks: WireJobHooks, signal?: AbortSignal): Promise<WireExport>;
  free(): void;
}
/** JSON `{"items":[…],"count":n}` of the next page, or undefined after the last. */
export interface WirePager {
  next(signal?: AbortSignal): Promise<string | undefined>;
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
}

/**
 * A filter as JSON: `{"op":"eq"|"ne"|"gt"|"ge"|"lt"|"le"|"like","p":"Name","v":V}`, `{"op":"anyOf","p":…,"v":[V]}`,
 * `{"op":"and"|"or","x":[F]}`, `{"op":"not","x":[F]}`; V is `{"t":"s"|"n"|"d"|"b"|"z","v":"…"}` (text, number or bigint, date,
 * boolean, null) or `{"t":"e","enum":"…","v":"member"}`. A query's `filter` is this object, or a string that is sent as it is.
 */
export type WireFilter = Record<string, unknown>;

/** The exports of the generated glue. */
export interface Wire {
  /** The web loader of wasm-bindgen; always called with a source. */
  default(input: {
    module_or_path: WebAssembly.Module | BufferSource | Response | Promise<Response> | URL | string;
  }): Promise<unknown>;
  initSync(input: { module: WebAssembly.Module | BufferSource }): unknown;
  version(): string;
  /** `spec`: PackageSpec as JSON without rows, data, files; with `level`. */
  PackageWriter: new (
    spec: string,
  ) => WirePackageWriter;
  /** For a package of `size` bytes. `options`: `{"limits":{…}}` as JSON. */
  PackageOpener: new (
    size: number,
    options: string,
  ) => WirePackageOpener;
  wasmMemory(): WebAssembly.Memory;
  /** `options`: ClientOptions as JSON without its functions, plus `pageOrigin` when in a page or worker of one. */
  Client: new (
    options: string,
    host: WireHost,
  ) => WireClient;
}
