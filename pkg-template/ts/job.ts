/** Long jobs as JavaScript sees them: a promise, a stream of events, and a checkpoint to go on from in another process. */
import { ClmError, isClmError, throwIfAborted } from "./errors.js";
import { linkSignals, type Progress, Reporter, type RunOptions } from "./run.js";
import type { CheckpointStore } from "./stores/store.js";
import type { WireJobHooks } from "./wire.js";

export type JobKind = "import" | "export";
/** What a job needs to go on in another process. JSON-safe, without token or signature. */
export type Checkpoint<K extends JobKind = JobKind> = {
  readonly version: number;
  readonly kind: K;
  readonly executionId: string;
  [k: string]: unknown;
};

export interface JobOptions extends RunOptions {
  /**
   * Makes the checkpoint durable. Awaited before every request that the service could act on; a rejection stops the job before
   * that request is sent.
   */
  onCheckpoint?: (checkpoint: Checkpoint) => void | Promise<void>;
  /**
   * Or a store: checkpoints live under `key`, and the lease of the environment (with `parallel: "project"`, of the data project)
   * beside them, so that processes that share the store keep out of each other's way. A job that finds another one's checkpoint
   * under its key ends with CHECKPOINT_CONFLICT before anything is sent. The last checkpoint stays when the job has ended: delete it
   * when its outcome has been handled.
   */
  store?: CheckpointStore;
  /** Default: "job/" and the execution id. */
  key?: string;
}

/** Where a run of the service stands. */
export type ExecutionStatus =
  | "Unknown"
  | "NotRun"
  | "Executing"
  | "Succeeded"
  | "PartiallySucceeded"
  | "Failed"
  | "Canceled";

export interface JobEvent {
  stage: "project" | "upload" | "submit" | "running" | "errors" | "download" | "done";
  /** What the service says of the run. */
  status?: ExecutionStatus;
  progress?: Progress;
  executionId?: string;
}

/**
 * A job under way. It starts at once; a failure that nobody awaits is not an unhandled rejection.
 *
 * Iterating gives the events from the beginning (the last 1,000 of them) and ends with the job; it throws what `done()` throws.
 *
 * @example
 * const job = scm.importPackage(spec, { project: "CLM-Import", onCheckpoint: (c) => writeFile("job.json", JSON.stringify(c)) });
 * for await (const event of job) console.log(event.stage, event.status);
 * const result = await job.done();
 */
export interface Job<R> extends AsyncIterable<JobEvent> {
  /** The execution id of the run, known before anything is sent. */
  readonly id: string;
  /** @throws {ClmError} JOB_FAILED, JOB_CANCELED, JOB_STALLED, OUTCOME_UNKNOWN, ABORTED, or what the request met. */
  done(): Promise<R>;
  /**
   * The last checkpoint.
   * @throws {ClmError} CHECKPOINT_INVALID where there is none yet: nothing was asked of the service, the job can simply be
   * started again.
   */
  checkpoint(): Checkpoint;
  /** Stops our side, and resolves when it has stopped; a run that the service has begun goes on there. */
  cancel(): Promise<void>;
}

/** Events kept for those who begin to listen late. */
const KEPT = 1000;

export class RunningJob<R> implements Job<R> {
  readonly id: string;
  readonly #done: Promise<R>;
  readonly #cancel = new AbortController();
  readonly #keeper: Keeper;
  readonly #reporter: Reporter;
  readonly #events: JobEvent[] = [];
  /** Events that are kept no more. */
  #dropped = 0;
  #ended = false;
  #changed = deferred();
  #checkpoint: Checkpoint | undefined;
  #stage: string | undefined;

  constructor(
    id: string,
    options: JobOptions,
    leases: CheckpointStore,
    start: (hooks: WireJobHooks, signal: AbortSignal) => Promise<R>,
    checkpoint?: Checkpoint,
  ) {
    this.id = id;
    this.#checkpoint = checkpoint;
    this.#keeper = new Keeper(id, options, leases, checkpoint);
    this.#reporter = new Reporter(options.onProgress);
    this.#done = this.#run(options.signal, start);
    this.#done.catch(() => {});
  }

  done(): Promise<R> {
    return this.#done;
  }

  checkpoint(): Checkpoint {
    if (this.#checkpoint) return this.#checkpoint;
    throw new ClmError("CHECKPOINT_INVALID", "the job has no checkpoint yet: nothing was asked of the service", {
      hint: "Start the job again instead of resuming it.",
    });
  }

  async cancel(): Promise<void> {
    this.#cancel.abort(new ClmError("ABORTED", "the job was cancelled"));
    await this.#done.catch(() => {});
  }

  [Symbol.asyncIterator](): AsyncIterator<JobEvent> {
    let at = 0;
    let over = false;
    return {
      next: async () => {
        while (!over) {
          at = Math.max(at, this.#dropped);
          const event = this.#events[at - this.#dropped];
          if (event) {
            at += 1;
            return { done: false, value: event };
          }
          if (this.#ended) {
            over = true;
            await this.#done;
          } else {
            await this.#changed.promise;
          }
        }
        return { done: true, value: undefined };
      },
      return: async () => {
        over = true;
        return { done: true, value: undefined };
      },
    };
  }

  async #run(
    signal: AbortSignal | undefined,
    start: (hooks: WireJobHooks, signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    // The caller first gets the job, then its events.
    await Promise.resolve();
    const linked = linkSignals(signal, this.#cancel.signal);
    try {
      throwIfAborted(linked.signal);
      await this.#keeper.begin();
      const hooks: WireJobHooks = {
        onCheckpoint: async (text) => {
          const checkpoint = JSON.parse(text) as Checkpoint;
          await this.#keeper.keep(text, checkpoint);
          this.#checkpoint = checkpoint;
        },
        load: (key) => this.#keeper.store.load(key),
        store: (key, value, ifVersion) => this.#keeper.store.save(key, value, ifVersion),
        read: async () => {
          throw new ClmError("SOURCE_REQUIRED", "this job has no source");
        },
        onEvent: (text) => this.#emit(JSON.parse(text) as JobEvent),
      };
      return await start(hooks, linked.signal);
    } catch (e) {
      throw this.#withCheckpoint(e);
    } finally {
      linked.unlink();
      this.#ended = true;
      this.#notify();
    }
  }

  #emit(event: JobEvent): void {
    const { progress, stage } = event;
    if (progress) progress.stage ??= stage;
    this.#events.push(event);
    if (this.#events.length > KEPT) {
      this.#events.shift();
      this.#dropped += 1;
    }
    if (progress) this.#reporter.report(progress, stage !== this.#stage);
    this.#stage = stage;
    this.#notify();
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = deferred();
    resolve();
  }

  #withCheckpoint(e: unknown): unknown {
    if (!isClmError(e) || e.code !== "INTERNAL_PANIC" || !this.#checkpoint) return e;
    return new ClmError(e.code, e.message, { ...e, cause: e.cause, result: this.#checkpoint });
  }
}

/** Makes a job's checkpoints durable, in the host's way. */
class Keeper {
  /** For leases, too. */
  readonly store: CheckpointStore;
  readonly #key: string;
  readonly #own: boolean;
  readonly #onCheckpoint: JobOptions["onCheckpoint"];
  readonly #resumed: Checkpoint | undefined;
  #version: string | undefined;

  constructor(id: string, options: JobOptions, leases: CheckpointStore, resumed: Checkpoint | undefined) {
    this.#own = options.store !== undefined;
    this.store = options.store ?? leases;
    this.#key = options.key ?? `job/${id}`;
    this.#onCheckpoint = options.onCheckpoint;
    this.#resumed = resumed;
  }

  /** Looks what is there: a new job must find nothing, a resumed one what it was resumed from. */
  async begin(): Promise<void> {
    if (!this.#own) return;
    const found = await this.store.load(this.#key);
    if (!found) return;
    const same = this.#resumed && canonical(JSON.parse(found.value)) === canonical(this.#resumed);
    if (!same) {
      throw new ClmError("CHECKPOINT_CONFLICT", `another checkpoint is under the key "${this.#key}" of the store`, {
        hint: "Resume from the one that is there (load it from the store), or choose another execution id or key.",
      });
    }
    this.#version = found.version;
  }

  async keep(text: string, checkpoint: Checkpoint): Promise<void> {
    if (this.#own) this.#version = await this.store.save(this.#key, text, this.#version);
    await this.#onCheckpoint?.(checkpoint);
  }
}

/** The same text for the same value, whatever the order of its properties. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    part && typeof part === "object" && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part,
  );
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A random UUID, version 4. `crypto.randomUUID` is missing in pages that are not secure contexts. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
