/** The client of one environment. */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  type BatchOperation,
  type BatchOptions,
  type BatchResults,
  batchJson,
  batchResults,
  etagJson,
  operationJson,
} from "./batch.js";
import type { EntityOf } from "./catalog.js";
import { type Clm, clm } from "./clm.js";
import { disposed, invalid, throwIfAborted } from "./errors.js";
import { type Executions, executions } from "./executions.js";
import type { Filter } from "./filter.js";
import { Handle } from "./handle.js";
import type { ImportSource } from "./import-source.js";
import { loader } from "./init.js";
import type { Checkpoint, Job, JobKind } from "./job.js";
import { type Numbers, objectToJson, parserFor } from "./json.js";
import type { Diagnostic } from "./package/diagnostic.js";
import { type Call, type DataProjects, dataProjects } from "./projects.js";
import { countJson, type Entity, type Input, type Query, queryJson } from "./query.js";
import { type RecurringQueues, recurringQueues } from "./queues.js";
import { type ListSource, Rows, readPages, WirePieces } from "./reading.js";
import { linkSignals, type RunOptions } from "./run.js";
import { type MetadataOptions, metadataJson, schema as schemaOf } from "./schema.js";
import { type CatalogSchema, partsOf, type Schema, type SchemaData } from "./schema-data.js";
import { memoryStore } from "./stores/memory.js";
import { type Sync, type SyncOptions, startSync } from "./sync.js";
import { type Token, type TokenCredentialLike, type TokenRequest, tokenSource } from "./token.js";
import {
  type ExportOptions,
  type ExportResult,
  type ImportOptions,
  type ImportResult,
  type ResumeOptions,
  resumeJob,
  startExport,
  startImport,
} from "./transfer.js";
import type { WireClient, WireHost, WirePager } from "./wire.js";

export type { DataProject, DataProjects } from "./projects.js";

export interface ClientOptions {
  /** https://contoso.operations.dynamics.com, or on-premises https://host/namespaces/AXSF. Plain http for loopback only. */
  baseUrl: string | URL;
  /** The host's own token source. Called once for simultaneous requests; again before expiry and once after a 401. */
  getToken?: (request: TokenRequest) => Token | Promise<Token>;
  /** … or any TokenCredential of @azure/identity. Neither: behind a relay that adds the token. */
  credential?: TokenCredentialLike;
  /** Company of rows and runs where a call names none. */
  company?: string;
  /** Default: the global one. */
  fetch?: typeof fetch;
  /**
   * For pages behind a relay: where a URL is really sent. Whether a token goes with it is decided on the original URL. A rewritten
   * request carries `x-d365-clm-relay: 1`.
   */
  rewriteUrl?: (url: string) => string;
  /**
   * Origins that rewritten requests may go to, beside the page's own; to any other one nothing is sent (NETWORK, which says why). Outside
   * of a page every origin has to be listed. Plain http only on this machine.
   */
  relayOrigins?: string[];
  /** The environment's own schema, from `metadata()`: its entities take the place of the catalogue's, the others stay known. */
  schema?: SchemaData | CatalogSchema;
  /**
   * How Int64 and Decimal come back. Default "string": nothing is lost. "bigint": Int64 as `bigint`, Decimal still as text, which no
   * number of JavaScript holds exactly. "number": both as numbers, digits beyond the 15th are lost.
   */
  numbers?: "string" | "number" | "bigint";
  /**
   * Of failed requests: how often each is tried (`attempts`, default 5); the longest pause of our own choice (`maxDelay`, default
   * 60,000 ms); and all pauses (`budget`, default 300,000 ms), of one request and of the client as a whole: pauses at the same time
   * count once, and what was spent comes back as time passes. Then the failure is handed over, THROTTLED with `retryAfter` where the
   * service is busy. A busy service is asked again when it says so (`Retry-After`), or after 30 s where it does not say, or the page may
   * not see it.
   */
  retry?: { attempts?: number; maxDelay?: number; budget?: number };
  /** Milliseconds for an ordinary request. Default 100,000. */
  timeout?: number;
  /** Milliseconds for import and export calls, which answer late. Default 600,000. */
  submitTimeout?: number;
  /**
   * Most requests in flight at once; further ones wait their turn in order. Default 8, at most 52 (more is taken as that): the
   * service's own limit. When it is busy (429) the number is halved, and grows again by one after each round of good answers. Uploads
   * to storage and downloads do not count, nor does a list once the head of its page has come.
   */
  concurrency?: number;
  /** Told of requests and repeats. What it throws is ignored. */
  onEvent?: (event: ClientEvent) => void;
}

/** `url` shows path and option names, never values. Times in milliseconds. */
export interface ClientEvent {
  type: "request" | "response" | "retry" | "throttled" | "token";
  id: number;
  method?: string;
  url?: string;
  status?: number;
  ms?: number;
  attempt?: number;
  delay?: number;
}

/** Companies of a count; see Query. */
export interface Companies {
  company?: string;
  crossCompany?: boolean;
}

/** One OData collection. Errors of all: AUTH_REJECTED, APP_NOT_REGISTERED, FORBIDDEN, THROTTLED, SERVICE_ERROR, NETWORK, TIMEOUT, ABORTED. */
// biome-ignore lint/suspicious/noExplicitAny: an entity that the catalogue lacks has any properties
export interface EntitySet<T = any> {
  /**
   * The rows, page after page as they are wanted. What is read ahead: about 4 MiB, and no page but the one behind that of the rows
   * being taken. The service keeps no snapshot of a list: rows that change meanwhile may come twice or not at all. Where a page breaks
   * off in the middle it is asked for again and goes on behind the last row, if that is still in its place; else NETWORK.
   * @throws {ClmError} UNKNOWN_PROPERTY, UNSUPPORTED_QUERY, NOT_FOUND
   */
  list(query?: Query<T>, options?: RunOptions): AsyncIterable<Entity<T>>;
  /** The same by page, with the number of all matching rows where `count` asks for it. */
  pages(query?: Query<T>, options?: RunOptions): AsyncIterable<{ items: Entity<T>[]; count?: number }>;
  /** How many rows match. */
  count(filter?: Filter | string, options?: RunOptions & Companies): Promise<number>;
  /** The row with that key (all parts; `dataAreaId` may come from the client's company), or undefined. */
  get(key: Input<T>, query?: Query<T>, options?: RunOptions): Promise<Entity<T> | undefined>;
  /**
   * Creates a row, and gives it back as stored. Properties that are undefined are not sent, null is sent as null.
   *
   * It is sent once. Where the answer is lost and `value` has the whole key, the row is read by that key: the same row is the
   * result, anything else OUTCOME_UNKNOWN. `allowRepeat` sends it again instead, at the risk of a second row.
   * @throws {ClmError} VALIDATION_FAILED with the service's reason, CONFLICT, OUTCOME_UNKNOWN
   */
  create(value: Input<T>, options?: RunOptions & { allowRepeat?: boolean }): Promise<Entity<T>>;
  /**
   * Changes the named properties and no others.
   * @throws {ClmError} VALIDATION_FAILED, NOT_FOUND, PRECONDITION_FAILED where `ifMatch` is not the row's etag any more
   */
  update(key: Input<T>, patch: Input<T>, options?: RunOptions & { ifMatch?: string }): Promise<void>;
  /** @throws {ClmError} NOT_FOUND, VALIDATION_FAILED, PRECONDITION_FAILED */
  delete(key: Input<T>, options?: RunOptions & { ifMatch?: string }): Promise<void>;
  /** Calls an action of the collection, or with a key of one row. The name goes without namespace. */
  action<R = unknown>(name: string, parameters?: object, key?: Input<T>, options?: RunOptions): Promise<R>;
}

/**
 * Speaks with one environment of Supply Chain Management, with a token that the host supplies. Nothing is loaded or sent before
 * the first call; options that can't be meant are reported there.
 *
 * @example
 * const scm = new ScmClient({ baseUrl: "https://contoso.operations.dynamics.com", getToken, company: "usmf" });
 * const result = await scm.importPackage(spec, { project: "CLM-Import" }).done();
 */
export class ScmClient {
  /** Data projects over OData. */
  readonly projects: DataProjects;
  /** Runs of data projects, whoever started them. */
  readonly executions: Executions;
  /** Queues of recurring data jobs. */
  readonly queues: RecurringQueues;
  /** Contracts, purchase agreements, the connection between both systems, and links into the client. */
  readonly clm: Clm;
  readonly #options: string;
  readonly #parse: (text: string) => unknown;
  readonly #host: WireHost;
  /** Of jobs without a store of their own: import and export calls of this client take turns. */
  readonly #leases = memoryStore();
  #handle: Handle<WireClient> | undefined;
  #disposed = false;
  declare readonly [Symbol.dispose]: () => void;

  constructor(options: ClientOptions) {
    if (typeof options !== "object" || options === null) throw invalid("a client needs options");
    const { getToken, credential, fetch, rewriteUrl, onEvent, ...rest } = options;
    for (const [name, value] of Object.entries({ fetch, rewriteUrl, onEvent })) {
      if (value !== undefined && typeof value !== "function") throw invalid(`${name} must be a function`);
    }
    this.#options = objectToJson(
      {
        ...rest,
        baseUrl: String(rest.baseUrl ?? ""),
        pageOrigin: pageOrigin(),
        ...(rest.schema === undefined ? {} : { schema: partsOf(rest.schema) }),
      },
      "the options",
    );
    this.#parse = parserFor(rest.numbers as Numbers | undefined);
    this.#host = hostOf(tokenSource(getToken, credential), fetch, rewriteUrl, onEvent);
    const call: Call = (signal, wire) => this.#call(signal, wire);
    this.projects = dataProjects(call);
    this.executions = executions(call, this.#client);
    this.queues = recurringQueues(call, this.#client);
    this.clm = clm(call, this.entity("CLMIntegrationContracts"), this.#parse);
  }

  static {
    // Not every browser knows the symbol yet.
    if (Symbol.dispose)
      Object.defineProperty(ScmClient.prototype, Symbol.dispose, { value: ScmClient.prototype.dispose });
  }

  /** An OData collection; typed where the catalogue knows it. Names of letters and digits, for example "VendorsV2". */
  entity<N extends string>(collection: N): EntitySet<EntityOf<N>> {
    if (typeof collection !== "string") throw invalid("a collection has a name");
    const call: Call = (signal, wanted) => this.#call(signal, wanted);
    return new Collection<EntityOf<N>>(collection, this.#client, call, this.#parse);
  }

  /**
   * Carries out operations in as few requests as may be (100 to a request, see `size`), and tells of each what came of it, in their
   * order. Each write is carried out by itself, with `atomic` all of them or none. The first failure ends the batch unless
   * `continueOnError` is set; what was not carried out is ABORTED.
   *
   * @throws {ClmError} where nothing came of the whole: an operation that can't be meant (`at.line` is its 1-based number), the first
   * request failed, or `signal` fired
   */
  async batch<const O extends readonly BatchOperation[]>(
    operations: O,
    options: RunOptions & BatchOptions = {},
  ): Promise<BatchResults<O>> {
    const { signal, onProgress: _, ...how } = options;
    const text = batchJson(operations, how);
    return batchResults(await this.#call(signal, (c, s) => c.batch(text, s)), this.#parse) as BatchResults<O>;
  }

  /**
   * What the environment has. Up to 16 collections are asked of the metadata service, more (or all) read from `$metadata`; where one
   * way is closed, the other is taken. `nullable` and `maxLength` are known from `$metadata` alone, `aot` from the service.
   *
   * @throws {ClmError} UNKNOWN_ENTITY for a collection that neither the environment nor the catalogue has; SERVICE_ERROR
   * @example
   * const tenant = await scm.metadata({ collections: ["VendorsV2"] });
   * const typed = new ScmClient({ ...options, schema: tenant });
   */
  async metadata({ signal, ...options }: MetadataOptions = {}): Promise<Schema> {
    const text = metadataJson(options);
    return schemaOf(JSON.parse(await this.#call(signal, (c, s) => c.metadata(text, s))));
  }

  /**
   * Uploads a package and has it imported: one put for small ones, else blocks of 4 MiB, four at a time. The import and export calls
   * of several jobs take turns (see `parallel`); their uploads, runs and downloads overlap.
   *
   * @throws {ClmError} from `done()`: JOB_FAILED with the service's reason and `result`; JOB_CANCELED, JOB_STALLED,
   * OUTCOME_UNKNOWN, and everything that building the package may meet
   */
  importPackage(source: ImportSource, options: ImportOptions): Job<ImportResult> {
    return startImport(this.#client, this.#leases, source, options);
  }

  /** Has a data project exported, downloads the package in ranges, checks and opens it. */
  exportPackage(options: ExportOptions): Job<ExportResult> {
    return startExport(this.#client, this.#leases, options);
  }

  /**
   * Goes on with a job of another process. It never submits a second time: it looks for the run first.
   *
   * @throws {ClmError} CHECKPOINT_INVALID; from `done()`: SOURCE_REQUIRED, SOURCE_CHANGED
   */
  resume<K extends JobKind>(
    checkpoint: Checkpoint<K>,
    options: ResumeOptions = {},
  ): Job<K extends "import" ? ImportResult : ExportResult> {
    return resumeJob(this.#client, this.#leases, checkpoint, options) as Job<
      K extends "import" ? ImportResult : ExportResult
    >;
  }

  /**
   * What changed since the last pass, entity by entity and company by company, in batches that come again until they are committed.
   * Nothing is sent before the first batch is asked for.
   *
   * @example
   * for await (const batch of scm.sync({ name: "vendors", store, companies: ["usmf"], entities: ["VendorsV2"] })) {
   *   await save(batch.rows); // an upsert by key: rows may come that did not change
   *   await batch.commit();
   * }
   */
  sync(options: SyncOptions): Sync {
    return startSync(this.#client, options);
  }

  /**
   * The connection doctor: what stands in the way of this environment, and where in Supply Chain Management it is put right. Address,
   * network, certificate, relay, clock; the token's audience, tenant and life (its claims are read here and told to nobody else); the
   * application's row and its user's role, entity by entity; the CLM feature; data projects, change tracking, storage. An empty list is
   * a connection without faults. The codes are in docs/connection.md.
   *
   * About 30 small reads, and one action that makes nothing but a URL; nothing is changed. What fails on the way is a finding and no
   * error.
   *
   * @throws {ClmError} ABORTED
   * @example
   * for (const { severity, code, message, hint } of await scm.diagnose()) console.log(severity, code, message, hint);
   */
  async diagnose({ signal }: RunOptions = {}): Promise<Diagnostic[]> {
    return JSON.parse(await this.#call(signal, (c, s) => c.diagnose(s)));
  }

  /** Ends what is under way with DISPOSED and frees memory; idempotent. */
  dispose(): void {
    this.#disposed = true;
    this.#handle?.dispose();
  }

  readonly #client = async (): Promise<Handle<WireClient>> => {
    if (this.#disposed) throw disposed("the client");
    const wire = await loader.ready();
    if (this.#disposed) throw disposed("the client");
    if (!this.#handle?.alive) {
      this.#handle = new Handle(loader, "the client", () => new wire.Client(this.#options, this.#host));
    }
    return this.#handle;
  };

  async #call<T>(
    signal: AbortSignal | undefined,
    call: (c: WireClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal);
    const handle = await this.#client();
    return handle.useAsync(signal, call);
  }
}

class Collection<T> implements EntitySet<T> {
  readonly #name: string;
  readonly #client: () => Promise<Handle<WireClient>>;
  readonly #call: Call;
  readonly #parse: (text: string) => unknown;

  constructor(name: string, client: () => Promise<Handle<WireClient>>, call: Call, parse: (text: string) => unknown) {
    this.#name = name;
    this.#client = client;
    this.#call = call;
    this.#parse = parse;
  }

  list(query?: Query<T>, options?: RunOptions): AsyncIterableIterator<Entity<T>> {
    return new Rows<Entity<T>>(this.#source(query, options));
  }

  pages(query?: Query<T>, options?: RunOptions): AsyncIterableIterator<{ items: Entity<T>[]; count?: number }> {
    return readPages<Entity<T>>(this.#source(query, options));
  }

  #source(query: Query<T> | undefined, { signal }: RunOptions = {}): ListSource {
    const open = async () => {
      throwIfAborted(signal);
      const text = queryJson(query);
      const client = await this.#client();
      const pager = client.use((c) => new Handle<WirePager>(loader, "the client", () => c.list(this.#name, text)));
      return new WirePieces(pager, linkSignals(signal, client.closing, loader.life));
    };
    return { open, parse: this.#parse };
  }

  async count(filter?: Filter | string, { signal, ...companies }: RunOptions & Companies = {}): Promise<number> {
    const text = countJson(filter, companies);
    return this.#call(signal, (c, s) => c.count(this.#name, text, s));
  }

  async get(key: Input<T>, query?: Query<T>, { signal }: RunOptions = {}): Promise<Entity<T> | undefined> {
    const text = { key: objectToJson(key, "the key"), query: queryJson(query) };
    return (await this.#run("get", text, signal)) as Entity<T> | undefined;
  }

  async create(
    value: Input<T>,
    { signal, allowRepeat }: RunOptions & { allowRepeat?: boolean } = {},
  ): Promise<Entity<T>> {
    const text = { value: objectToJson(value, "the row"), allowRepeat: allowRepeat ? "true" : undefined };
    return (await this.#run("create", text, signal)) as Entity<T>;
  }

  async update(
    key: Input<T>,
    patch: Input<T>,
    { signal, ifMatch }: RunOptions & { ifMatch?: string } = {},
  ): Promise<void> {
    const text = { key: objectToJson(key, "the key"), value: objectToJson(patch, "the change") };
    await this.#run("update", { ...text, ifMatch: etagJson(ifMatch) }, signal);
  }

  async delete(key: Input<T>, { signal, ifMatch }: RunOptions & { ifMatch?: string } = {}): Promise<void> {
    await this.#run("delete", { key: objectToJson(key, "the key"), ifMatch: etagJson(ifMatch) }, signal);
  }

  async action<R = unknown>(
    name: string,
    parameters: object = {},
    key?: Input<T>,
    { signal }: RunOptions = {},
  ): Promise<R> {
    const text = {
      name: JSON.stringify(String(name)),
      parameters: objectToJson(parameters, "the parameters"),
      key: key === undefined ? undefined : objectToJson(key, "the key"),
    };
    return (await this.#run("action", text, signal)) as R;
  }

  async #run(
    op: string,
    fields: Record<string, string | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const operation = operationJson(op, this.#name, fields);
    const value = await this.#call(signal, (c, s) => c.run(operation, s));
    return value === undefined ? undefined : this.#parse(value);
  }
}

function hostOf(
  getToken: WireHost["getToken"],
  fetch: ClientOptions["fetch"],
  rewriteUrl: ClientOptions["rewriteUrl"],
  onEvent: ClientOptions["onEvent"],
): WireHost {
  const host: WireHost = {};
  if (getToken) host.getToken = getToken;
  // Async, so that what it throws at once is as uncertain as a rejection: the request may have left.
  if (fetch) host.fetch = async (...args) => fetch(...args);
  if (rewriteUrl) host.rewriteUrl = (url) => String(rewriteUrl(url));
  if (onEvent) {
    host.onEvent = (event) => {
      try {
        onEvent(JSON.parse(event));
      } catch {
        // The host's log must not decide whether the work succeeds.
      }
    };
  }
  return host;
}

/** The origin of the page, or of the page that a worker belongs to. */
function pageOrigin(): string | undefined {
  const origin = (globalThis as { location?: { origin?: string } }).location?.origin;
  return origin === "null" ? undefined : origin;
}
