/** Imports and exports: what goes in and what comes out of them. */
import type { DataProject } from "./client.js";
import { ClmError, invalid, isClmError } from "./errors.js";
import type { Handle } from "./handle.js";
import { type ImportSource, SourceReader } from "./import-source.js";
import {
  type Checkpoint,
  type ExecutionStatus,
  type Job,
  type JobKind,
  type JobOptions,
  RunningJob,
  randomId,
} from "./job.js";
import { objectToJson } from "./json.js";
import { piecesOf, streamFrom } from "./package/bytes-out.js";
import type { DataPackage } from "./package/data-package.js";
import { openPackage } from "./packages.js";
import { type Rejected, rejectedRows } from "./rejected.js";
import type { RunOptions } from "./run.js";
import type { CheckpointStore } from "./stores/store.js";
import type { WireClient, WireExport, WireJobHooks } from "./wire.js";

/** How a run is watched; all in milliseconds. */
export interface Polling {
  /** First pause between two questions; grows by half each time. Default 5,000, at least 100. */
  interval?: number;
  /** Longest pause. Default 60,000. */
  max?: number;
  /** A run that shows no other status and no more rows for this long is JOB_STALLED. Default 7,200,000. */
  stalledAfter?: number;
}

export interface ImportOptions extends JobOptions {
  /** Data project that runs; created or overwritten from the manifest. */
  project: string;
  /** Company of the rows; default: the client's. */
  company?: string;
  /** Unique id of the run; default: a random UUID. */
  executionId?: string;
  /** Whether staging goes on to the target. Default true. */
  execute?: boolean;
  /** Whether the project is overwritten from the manifest. Default true. */
  overwrite?: boolean;
  poll?: Polling;
  /** After a lost answer to the submission: how long to look for the run before OUTCOME_UNKNOWN. Default 900,000 ms. */
  outcomeGrace?: number;
  /** After `outcomeGrace` without a trace of the run: submit once more, at the risk of a second run. Default false. */
  resubmit?: boolean;
  /**
   * Import and export calls go one at a time per environment, those of other processes with the same `store` too; "project": one at
   * a time per data project, where the environment allows it. Runs overlap freely. Default "environment".
   */
  parallel?: "environment" | "project";
  /** Fetch the service's reasons of failed rows. Default true. */
  errors?: boolean;
}

export interface EntityResult {
  /** Label of the entity. */
  entity: string;
  /** The service's word for it. */
  status: string;
  /** Records created in the target. */
  created?: number;
  /** Records updated in the target. */
  updated?: number;
  /** Records that did not arrive. */
  errors?: number;
}

export interface ImportResult {
  executionId: string;
  status: ExecutionStatus;
  entities: EntityResult[];
  /** Rows that did not arrive, over all entities. */
  rejectedCount: number;
  /** The service's reasons, where it gave any. */
  errors: RowFailure[];
  /**
   * The rows that were refused, each with its reason, joined to the rows that were sent where the source can be read again. Read it
   * soon: the service keeps the reasons for about 7 days. The result of a JOB_FAILED (`error.result`) has it too.
   */
  rejected(options?: RunOptions): AsyncIterable<Rejected>;
}

export interface RowFailure {
  /** Label of the entity; empty where more than one had failures. */
  entity: string;
  /** Text of the record's key. */
  recordId: string;
  /** Field; often empty. */
  field: string;
  message: string;
}

export interface ExportOptions extends JobOptions {
  /** Data project that runs: its name, or the project itself, which is ensured first; see `projects.ensure`. */
  project?: string | DataProject;
  /**
   * Instead of a project: labels or collections, or lines with more to say. An export project is kept for each such list, whatever its
   * order, named `CLM-Export-` and 16 digits; it has exactly these lines.
   */
  entities?: (string | DataProject["entities"][number])[];
  /** Company of the rows; default: the client's. For shared entities any company will do. */
  company?: string;
  /** Unique id of the run; default: a random UUID. */
  executionId?: string;
  /** Name of the package; default: the execution id. */
  packageName?: string;
  /** At most this many records of each entity. */
  preview?: number;
  /** As of an import. */
  parallel?: "environment" | "project";
  poll?: Polling;
  /** After a lost answer to the submission: how long to look for the run before OUTCOME_UNKNOWN. Default 900,000 ms. */
  outcomeGrace?: number;
}

export interface ExportResult {
  executionId: string;
  status: ExecutionStatus;
  entities: EntityResult[];
  /** Downloaded, opened, and its rows counted against what the service says. Dispose of it after use. */
  package: DataPackage;
  /** The package as it came; may be called again. */
  stream(): ReadableStream<Uint8Array>;
}

export interface ResumeOptions extends JobOptions {
  /** Needed where the package was not submitted yet: the same one, or SOURCE_CHANGED. */
  source?: ImportSource;
  poll?: Polling;
  outcomeGrace?: number;
  /** For an import; see ImportOptions. */
  errors?: boolean;
  /** For an import; see ImportOptions. */
  resubmit?: boolean;
  parallel?: "environment" | "project";
}

/** The client's handle, when it is wanted. */
export type Client = () => Promise<Handle<WireClient>>;

export function startImport(
  client: Client,
  leases: CheckpointStore,
  source: ImportSource,
  options: ImportOptions,
): Job<ImportResult> {
  const id = options?.executionId ?? randomId();
  return new RunningJob(id, options ?? {}, leases, async (hooks, signal) => {
    const text = optionsJson(options, { executionId: id });
    return reading(source, hooks, signal, async (hooks, bytes) => {
      const handle = await client();
      return imported(client, source, () => handle.useAsync(signal, (c, s) => c.importPackage(text, bytes, hooks, s)));
    });
  });
}

export function startExport(client: Client, leases: CheckpointStore, options: ExportOptions): Job<ExportResult> {
  const id = options?.executionId ?? randomId();
  return new RunningJob(id, options ?? {}, leases, async (hooks, signal) => {
    const project = options?.project;
    const named = typeof project === "object" && project !== null;
    const { entities, ...rest } = options ?? {};
    if ((project === undefined) === (entities === undefined)) {
      throw invalid("an export needs a project or a list of entities, and not both");
    }
    const handle = await client();
    const list = entities && listToJson(entities);
    const kept = list && (await handle.useAsync(signal, (c, s) => c.ensureAdHoc(list, s)));
    const name = kept ?? (named ? project.name : project);
    const text = optionsJson(rest, { executionId: id, project: name });
    if (named) {
      const whole = objectToJson(project, "the data project");
      await handle.useAsync(signal, (c, s) => c.ensureProject(whole, false, s));
    }
    return exported(await handle.useAsync(signal, (c, s) => c.exportPackage(text, hooks, s)));
  });
}

export function resumeJob(
  client: Client,
  leases: CheckpointStore,
  checkpoint: Checkpoint,
  options: ResumeOptions,
): Job<ImportResult | ExportResult> {
  const { kind, executionId, project } = checkpoint ?? {};
  if (!isKind(kind) || typeof executionId !== "string") {
    throw new ClmError("CHECKPOINT_INVALID", "this is no checkpoint of an import or export", {
      hint: "Hand over the object that onCheckpoint got, read back from JSON.",
    });
  }
  const state = objectToJson(checkpoint, "the checkpoint");
  const text = optionsJson(options, { executionId, project });
  const { source } = options;
  const start = async (hooks: WireJobHooks, signal: AbortSignal): Promise<ImportResult | ExportResult> => {
    if (kind === "export") {
      const handle = await client();
      return exported(await handle.useAsync(signal, (c, s) => c.resumeExport(state, text, hooks, s)));
    }
    const go = async (hooks: WireJobHooks): Promise<ImportResult> => {
      const handle = await client();
      const has = source !== undefined;
      return imported(client, source, () =>
        handle.useAsync(signal, (c, s) => c.resumeImport(state, text, has, hooks, s)),
      );
    };
    return source === undefined ? go(hooks) : reading(source, hooks, signal, go);
  };
  return new RunningJob(executionId, options, leases, start, checkpoint);
}

function isKind(kind: unknown): kind is JobKind {
  return kind === "import" || kind === "export";
}

/** What the caller gave, without what stays in JavaScript. */
function optionsJson(options: object, more: object): string {
  if (typeof options !== "object" || options === null) throw invalid("the job needs options");
  const { signal, onProgress, onCheckpoint, store, key, source, ...rest } = options as ResumeOptions;
  return objectToJson({ ...rest, ...more }, "the options");
}

function listToJson(entities: unknown): string {
  if (!Array.isArray(entities)) throw invalid("entities must be a list");
  const { list } = JSON.parse(objectToJson({ list: entities }, "the list of entities"));
  return JSON.stringify(list);
}

/** With a source to read from, which is closed at the end. */
async function reading<T>(
  source: ImportSource,
  hooks: WireJobHooks,
  signal: AbortSignal,
  go: (hooks: WireJobHooks, bytes: number | undefined) => Promise<T>,
): Promise<T> {
  const reader = new SourceReader(source, signal);
  try {
    const bytes = await reader.check();
    return await go({ ...hooks, read: (start, end) => reader.read(start, end) }, bytes);
  } finally {
    await reader.close();
  }
}

async function imported(
  client: Client,
  source: ImportSource | undefined,
  run: () => Promise<string>,
): Promise<ImportResult> {
  const withRows = (result: Omit<ImportResult, "rejected">): ImportResult => ({
    ...result,
    rejected: (options) => rejectedRows(client, source, result, options),
  });
  try {
    return withRows(JSON.parse(await run()));
  } catch (e) {
    if (!isClmError(e) || e.code !== "JOB_FAILED" || !e.result) throw e;
    const result = withRows(e.result as ImportResult);
    // A function of an error is nothing to be printed or sent on.
    Object.defineProperty(result, "rejected", { enumerable: false });
    throw new ClmError(e.code, e.message, { ...e, cause: e.cause, result });
  }
}

async function exported(got: WireExport): Promise<ExportResult> {
  const result = JSON.parse(got.result) as Pick<ExportResult, "executionId" | "status" | "entities">;
  const bytes = got.takeBytes();
  got.free();
  return { ...result, package: await openPackage(bytes), stream: () => streamFrom(() => piecesOf(bytes)) };
}
