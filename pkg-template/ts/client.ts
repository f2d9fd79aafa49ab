/** The client of one environment. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { EntityOf } from "./catalog.js";
import { disposed, invalid, throwIfAborted } from "./errors.js";
import type { Filter } from "./filter.js";
import { Handle } from "./handle.js";
import type { ImportSource } from "./import-source.js";
import { loader } from "./init.js";
import type { Checkpoint, Job, JobKind } from "./job.js";
import { objectToJson, toJson } from "./json.js";
import type { EntityLine } from "./package/spec.js";
import { countJson, type Entity, type Input, type Query, queryJson } from "./query.js";
import type { RunOptions } from "./run.js";
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
  /** Origins that rewritten requests may go to, beside the page's own. */
  relayOrigins?: string[];
  /** How Int64 and Decimal come back. Default "string": nothing is lost. */
  numbers?: "string" | "number";
  /** Of failed requests: how often (`attempts`), the longest pause and all pauses together in milliseconds. */
  retry?: { attempts?: number; maxDelay?: number; budget?: number };
  /** Milliseconds for an ordinary request. Default 100,000. */
  timeout?: number;
  /** Milliseconds for import and export calls, which answer late. Default 600,000. */
  submitTimeout?: number;
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
   * The rows, page after page as they are wanted.
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
   * Creates a row, and gives it back as stored.
   * @throws {ClmError} VALIDATION_FAILED with the service's reason, CONFLICT
   */
  create(value: Input<T>, options?: RunOptions): Promise<Entity<T>>;
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

/** A data project (definition group). All companies see it. */
export interface DataProject {
  /** Its name, which is its key; without apostrophe. */
  name: string;
  operation: "Import" | "Export";
  /** At most 60 characters. */
  description?: string;
  /** Default "Project". */
  category?: "Project" | "Configuration" | "Integration" | "Other";
  entities: EntityLine[];
}

export interface DataProjects {
  /**
   * Creates the project, or corrects what `project` names and nothing else (mappings, filters and further lines stay; with `exact`
   * further lines are deleted), and says what it changed.
   * @throws {ClmError} CONFLICT where a project of that name has the other operation type
   */
  ensure(
    project: DataProject,
    options?: RunOptions & { exact?: boolean },
  ): Promise<{ created: boolean; changed: string[] }>;
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
  readonly #options: string;
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
      { ...rest, baseUrl: String(rest.baseUrl ?? ""), pageOrigin: pageOrigin() },
      "the options",
    );
    this.#host = hostOf(tokenSource(getToken, credential), fetch, rewriteUrl, onEvent);
    this.projects = {
      ensure: async (project, { signal, exact = false } = {}) => {
        const text = objectToJson(project, "the data project");
        return JSON.parse(await this.#call(signal, (c, s) => c.ensureProject(text, exact, s)));
      },
    };
  }

  static {
    // Not every browser knows the symbol yet.
    if (Symbol.dispose)
      Object.defineProperty(ScmClient.prototype, Symbol.dispose, { value: ScmClient.prototype.dispose });
  }

  /** An OData collection; typed where the catalogue knows it. Names of letters and digits, for example "VendorsV2". */
  entity<N extends string>(collection: N): EntitySet<EntityOf<N>> {
    if (typeof collection !== "string") throw invalid("a collection has a name");
    return new Collection<EntityOf<N>>(collection, this.#client, (signal, call) => this.#call(signal, call));
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

type Call = <T>(
  signal: AbortSignal | undefined,
  call: (c: WireClient, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

class Collection<T> implements EntitySet<T> {
  readonly #name: string;
  readonly #client: () => Promise<Handle<WireClient>>;
  readonly #call: Call;

  constructor(name: string, client: () => Promise<Handle<WireClient>>, call: Call) {
    this.#name = name;
    this.#client = client;
    this.#call = call;
  }

  async *list(query?: Query<T>, options?: RunOptions): AsyncGenerator<Entity<T>, void, undefined> {
    for await (const { items } of this.pages(query, options)) yield* items;
  }

  async *pages(
    query?: Query<T>,
    { signal }: RunOptions = {},
  ): AsyncGenerator<{ items: Entity<T>[]; count?: number }, void, undefined> {
    throwIfAborted(signal);
    const text = queryJson(query);
    const client = await this.#client();
    const pager = client.use((c) => new Handle<WirePager>(loader, "the client", () => c.list(this.#name, text)));
    try {
      while (true) {
        // The second handle ends the wait when the client is disposed of.
        const page = await client.useAsync(signal, (_, s) => pager.useAsync(s, (p, both) => p.next(both)));
        if (page === undefined) return;
        yield JSON.parse(page);
      }
    } finally {
      pager.dispose();
    }
  }

  async count(filter?: Filter | string, { signal, ...companies }: RunOptions & Companies = {}): Promise<number> {
    const text = countJson(filter, companies);
    return this.#call(signal, (c, s) => c.count(this.#name, text, s));
  }

  async get(key: Input<T>, query?: Query<T>, { signal }: RunOptions = {}): Promise<Entity<T> | undefined> {
    const text = objectToJson(key, "the key");
    const more = queryJson(query);
    const found = await this.#call(signal, (c, s) => c.get(this.#name, text, more, s));
    return found === undefined ? undefined : JSON.parse(found);
  }

  async create(value: Input<T>, { signal }: RunOptions = {}): Promise<Entity<T>> {
    const text = objectToJson(value, "the row");
    return JSON.parse(await this.#call(signal, (c, s) => c.create(this.#name, text, s)));
  }

  async update(
    key: Input<T>,
    patch: Input<T>,
    { signal, ifMatch }: RunOptions & { ifMatch?: string } = {},
  ): Promise<void> {
    const text = objectToJson(key, "the key");
    const change = objectToJson(patch, "the change");
    await this.#call(signal, (c, s) => c.update(this.#name, text, change, ifMatch, s));
  }

  async delete(key: Input<T>, { signal, ifMatch }: RunOptions & { ifMatch?: string } = {}): Promise<void> {
    const text = objectToJson(key, "the key");
    await this.#call(signal, (c, s) => c.delete(this.#name, text, ifMatch, s));
  }

  async action<R = unknown>(
    name: string,
    parameters: object = {},
    key?: Input<T>,
    { signal }: RunOptions = {},
  ): Promise<R> {
    const text = objectToJson(parameters, "the parameters");
    const row = key === undefined ? undefined : toJson(key, "the key");
    const result = await this.#call(signal, (c, s) => c.action(this.#name, name, text, row, s));
    return (result === undefined ? undefined : JSON.parse(result)) as R;
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
