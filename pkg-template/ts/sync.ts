/** Incremental synchronisation as JavaScript sees it: batches that come again until they are committed. */
import { invalid, throwIfAborted } from "./errors.js";
import { Handle } from "./handle.js";
import { loader } from "./init.js";
import type { JobEvent } from "./job.js";
import { objectToJson } from "./json.js";
import { Reporter, type RunOptions } from "./run.js";
import type { CheckpointStore } from "./stores/store.js";
import type { Client, Polling } from "./transfer.js";
import type { WireJobHooks, WireSyncPass } from "./wire.js";

/** An entity of a sync, and how it is read. */
export interface SyncEntity {
  /** Collection or label. */
  entity: string;
  /**
   * "package": exports of what changed. "odata": whole reads, compared with kept hashes of the rows; for small entities. Default
   * "auto": as `choosePattern` says, which is "package".
   */
  transport?: "auto" | "package" | "odata";
  /** Properties wanted; keys always come. Default all. */
  select?: string[];
  /**
   * With transport "odata": a property that tells when a record was changed. Then only recent changes are read, with 10 minutes'
   * overlap, and all rows once a day. One that the catalogue lacks needs the environment's `schema` in the client.
   */
  modifiedBy?: string;
  /** For an entity that the catalogue lacks: whether its records belong to no company. Default false. */
  shared?: boolean;
}

export interface SyncOptions extends RunOptions {
  /** Under this name the store keeps how far the sync is: 1 to 40 letters, digits, `-`, `_`, `.` and blanks. */
  name: string;
  store: CheckpointStore;
  /** Default: all master data of the catalogue that flows from SCM to CLM. */
  entities?: (string | SyncEntity)[];
  /** Companies of company-specific entities; shared entities come once. Default: the client's. */
  companies?: string[];
  /** Most rows of a batch, 1 to 10,000. Default 1,000. A run that began goes on with the size that it began with. */
  batchSize?: number;
  /**
   * One data project per entity and company is kept under this prefix, `<prefix>-<entity>-<COMPANY>`, and one with `-Full` behind it
   * for all records. No two syncs, and nobody else, may run the same projects: each would take changes away from the other.
   * Default: "CLM-" and the name.
   */
  projectPrefix?: string;
  /**
   * An entity without change tracking: an error before the first run of any line, which says how to switch it on (default);
   * everything each time; or a compare with kept hashes.
   */
  withoutTracking?: "error" | "full" | "compare";
  /** Change tracking tells of no deletes: "reconcile" compares keys now and then and yields them. Needs an OData collection. */
  deletes?: "ignore" | "reconcile";
  /** More than this is RECONCILE_REFUSED; of `rows` and `percent` the larger counts. Default: 20 rows and 5 %. */
  maxDeletes?: { rows?: number; percent?: number };
  /** Milliseconds between two searches for deleted records of a line; 0: in each pass. Default 86,400,000. */
  reconcileEvery?: number;
  /** How runs are watched. */
  poll?: Polling;
  /** As of an export. */
  outcomeGrace?: number;
  /** As of an export. */
  parallel?: "environment" | "project";
}

/**
 * At least once: a batch comes again, after a crash too, until it is committed; nothing is skipped. Each iteration is one pass through
 * all lines (an entity in a company) and ends when all are up to date. A line that fails by itself does not stop the others: its
 * error is thrown when they are done.
 *
 * Of two processes that run a sync of the same name, the one that comes second to a step gets CHECKPOINT_CONFLICT.
 *
 * @throws {ClmError} from the iteration: VALIDATION_FAILED where change tracking is off, UNKNOWN_ENTITY, CHECKPOINT_CONFLICT,
 * CHECKPOINT_INVALID, RECONCILE_REFUSED, JOB_FAILED and what else an export or a request may meet. INVALID_ARGUMENT for options that
 * can't be meant, and for a batch that was handed over 10 times and never committed.
 */
export interface Sync extends AsyncIterable<SyncBatch> {
  /** How far each line is, as the store says. */
  status(): Promise<SyncStatus[]>;
  /** Has the lines of an entity (label or collection), or all, begin anew with all records. */
  reset(entity?: string): Promise<void>;
}

/**
 * Rows look the same by either transport: OData property names, enum symbols, Decimal and Int64 as text, times in UTC as
 * `2026-04-01T12:00:00Z`, "no date" as null, `dataAreaId` in lower case always set where the entity is company-specific.
 */
// biome-ignore lint/suspicious/noExplicitAny: an entity that the catalogue lacks has any properties
export interface SyncBatch<T = any> {
  /** Stable when it is delivered again. */
  id: string;
  /** The run of the service, where one exported the rows. */
  executionId?: string;
  /** Label of the entity. */
  entity: string;
  /** None for a shared entity. */
  company?: string;
  /**
   * "full": all records, as far as the service's marker is new; "incremental": what changed, perhaps more; both are upserts by key.
   * "reconcile": no rows, but keys of records that are gone.
   */
  mode: "full" | "incremental" | "reconcile";
  rows: T[];
  deletedKeys: Partial<T>[];
  /** Whether the run of this entity and company ends with it. A full run without rows is one empty batch. */
  last: boolean;
  /**
   * Call it when the rows are safe, before the next batch is asked for. Again it does nothing.
   * @throws {ClmError} CHECKPOINT_CONFLICT where another process moved the line: the batch comes again there
   */
  commit(): Promise<void>;
}

export interface SyncStatus {
  /** Label of the entity. */
  entity: string;
  company?: string;
  transport: "package" | "odata";
  /** Where its run is. */
  phase: "idle" | "planned" | "running" | "delivering";
  /** When the last run that was committed whole was planned, ISO 8601. */
  lastRun?: string;
  /** No run for more than 2 days: after 6 the service may have forgotten what changed, and all records come. */
  stale?: true;
  /** Rows committed so far. */
  rows: number;
  /** Whether a run is open, or all records are wanted. */
  pending: boolean;
  /** The open run. */
  executionId?: string;
  /** Why all records come next. */
  needsFull?: string;
}

/**
 * Which of the two integration patterns, by volume, need for immediacy and the entity; the reason begins with the rule that decided.
 *
 * The module must be loaded: `await init()` first.
 *
 * @throws {ClmError} NOT_INITIALIZED; INVALID_ARGUMENT where no pattern can do it
 */
export function choosePattern(need: {
  entity?: string;
  rows?: number;
  realTime?: boolean;
  rowErrors?: boolean;
  incremental?: boolean;
}): { pattern: "odata" | "package"; reason: string } {
  const text = objectToJson(need, "the need");
  const wire = loader.current();
  try {
    return JSON.parse(wire.choosePattern(text));
  } catch (e) {
    throw loader.failure(e);
  }
}

export function startSync(client: Client, options: SyncOptions): Sync {
  if (typeof options !== "object" || options === null) throw invalid("a sync needs options");
  const { signal, onProgress, store, ...rest } = options;
  if (typeof store?.load !== "function" || typeof store.save !== "function") {
    throw invalid("a sync needs a store", {
      hint: "memoryStore() for tests; indexedDbStore(), fileStore() or blobStore() outlive the process.",
    });
  }
  const text = objectToJson(rest, "the sync options");
  const hooks = hooksOf(store, new Reporter(onProgress));
  return {
    [Symbol.asyncIterator]: () => pass(client, text, hooks, signal),
    async status() {
      throwIfAborted(signal);
      const handle = await client();
      return JSON.parse(await handle.useAsync(signal, (c, s) => c.syncStatus(text, hooks, s)));
    },
    async reset(entity) {
      throwIfAborted(signal);
      const handle = await client();
      await handle.useAsync(signal, (c, s) => c.syncReset(text, entity, hooks, s));
    },
  };
}

/** One pass. The object in the module lives until the pass is over and its last batch is committed, or the client is disposed of. */
async function* pass(
  client: Client,
  options: string,
  hooks: WireJobHooks,
  signal: AbortSignal | undefined,
): AsyncGenerator<SyncBatch, void, undefined> {
  throwIfAborted(signal);
  const handle = await client();
  const wire = handle.use((c) => new Handle<WireSyncPass>(loader, "the sync", () => c.syncPass(options)));
  const ended = () => wire.dispose();
  handle.closing.addEventListener("abort", ended, { once: true });
  let open: string | undefined;
  let over = false;
  const release = () => {
    if (!over || open !== undefined) return;
    handle.closing.removeEventListener("abort", ended);
    wire.dispose();
  };
  try {
    while (true) {
      const next = await handle.useAsync(signal, (_, s) => wire.useAsync(s, (w, both) => w.next(hooks, both)));
      if (next === undefined) return;
      const batch = JSON.parse(next) as Omit<SyncBatch, "commit">;
      open = batch.id;
      yield {
        ...batch,
        async commit() {
          // A commit is not given up half-way: the signal ends the pass, not what is being made durable.
          await handle.useAsync(undefined, (_, s) => wire.useAsync(s, (w) => w.commit(batch.id, hooks, undefined)));
          if (open === batch.id) open = undefined;
          release();
        },
      };
    }
  } finally {
    over = true;
    release();
  }
}

function hooksOf(store: CheckpointStore, reporter: Reporter): WireJobHooks {
  return {
    load: (key) => store.load(key),
    store: (key, value, ifVersion) => store.save(key, value, ifVersion),
    onCheckpoint: async () => {},
    read: async () => new Uint8Array(),
    onEvent: (text) => {
      const { progress, stage } = JSON.parse(text) as JobEvent;
      if (progress) reporter.report({ ...progress, stage });
    },
  };
}
