/** Runs of data projects, whoever started them. */

import type { ExecutionStatus } from "./job.js";
import { objectToJson } from "./json.js";
import { type Call, manage } from "./projects.js";
import { RemoteFile, type WithFiles } from "./remote-file.js";
import type { RunOptions } from "./run.js";
import type { EntityResult } from "./transfer.js";

/** One run. */
export interface Execution {
  executionId: string;
  /** The data project that ran. */
  project: string;
  /** When the first of its entities began; missing where none has begun. */
  started?: string;
  entities: EntityResult[];
}

/** Why one row failed. */
export interface ExecutionError {
  /** Text of the record's key. */
  recordId: string;
  /** Often empty. */
  field: string;
  message: string;
}

/**
 * Errors of all: INVALID_ARGUMENT for an empty id; AUTH_REJECTED, APP_NOT_REGISTERED, FORBIDDEN, THROTTLED, SERVICE_ERROR, NETWORK,
 * TIMEOUT, ABORTED. The service forgets runs after about 7 days: then `errors` and `summary` are empty, `status` is NOT_FOUND.
 */
export interface Executions {
  /**
   * The runs of a project, or of all, newest first; those that have not begun come before all others. The service can't order them, so
   * its whole history is read (10,000 rows a page, one row for each entity of a run) before the first comes.
   */
  list(options?: RunOptions & { project?: string }): AsyncIterable<Execution>;
  /** @throws {ClmError} NOT_FOUND where the service does not know the run: not yet, some seconds after its start, or not any more */
  status(executionId: string, options?: RunOptions): Promise<ExecutionStatus>;
  /** What the run did to each entity; empty where the service does not know the run. */
  summary(executionId: string, options?: RunOptions): Promise<EntityResult[]>;
  /** The service's reasons. It hands them out as one text, which is read whole; where that is no valid JSON, as far as it can be read. */
  errors(executionId: string, options?: RunOptions): AsyncIterable<ExecutionError>;
  /**
   * The rows that did not reach staging, or the keys of those that did not reach the target; undefined where there are none. The
   * file is read in ranges of 4 MiB as the stream is, from storage and without the bearer token; a signature that runs out meanwhile
   * is renewed. For "target" the service writes it first: it is asked after 1 s, pauses growing up to 30 s, for at most 10 minutes.
   *
   * @param entity label or collection
   * @throws {ClmError} JOB_STALLED where the file does not appear; from the stream NOT_FOUND, FORBIDDEN, PRECONDITION_FAILED where it
   * changed while it was read
   */
  errorFile(
    executionId: string,
    entity: string,
    kind: "staging" | "target",
    options?: RunOptions,
  ): Promise<ReadableStream<Uint8Array> | undefined>;
  /**
   * The address of an exported package. It carries a signature, so it is a secret, and it is short-lived: ask again rather than keep it.
   * @throws {ClmError} NOT_FOUND while there is no package, with `retryAfter`
   */
  packageUrl(executionId: string, options?: RunOptions): Promise<string>;
  /** The address of the run's page, for a person. */
  pageUrl(executionId: string, options?: RunOptions): Promise<string>;
  /** The run that a queue's message became; undefined while the queue has not begun it. */
  ofMessage(messageId: string, options?: RunOptions): Promise<string | undefined>;
  /** Deletes the history of the run, and its staged rows. Sent once. */
  delete(executionId: string, options?: RunOptions): Promise<void>;
}

export function executions(call: Call, files: WithFiles): Executions {
  const of = (execution: string) => ({ execution });
  return {
    async *list({ project, ...options } = {}) {
      yield* (await manage<Execution[]>(call, "executions.list", { project }, options)) ?? [];
    },
    status: async (id, options) =>
      (await manage<ExecutionStatus>(call, "executions.status", of(id), options)) ?? "Unknown",
    summary: async (id, options) => (await manage<EntityResult[]>(call, "executions.summary", of(id), options)) ?? [],
    async *errors(id, options) {
      for (const { recordId, field, message } of (await manage<ExecutionError[]>(
        call,
        "executions.errors",
        of(id),
        options,
      )) ?? []) {
        yield { recordId, field, message };
      }
    },
    errorFile: async (execution, entity, kind, { signal } = {}) => {
      const text = objectToJson({ execution, entity, kind }, "the arguments");
      const wire = await call(signal, (c, s) => c.errorFile(text, s));
      if (!wire) return undefined;
      const file = await RemoteFile.open(files, () => wire, "the error file", signal);
      return file.stream(signal, true);
    },
    packageUrl: async (id, options) => (await manage<string>(call, "executions.packageUrl", of(id), options)) ?? "",
    pageUrl: async (id, options) => (await manage<string>(call, "executions.pageUrl", of(id), options)) ?? "",
    ofMessage: (message, options) => manage(call, "executions.ofMessage", { message }, options),
    delete: (id, options) => manage(call, "executions.delete", of(id), options),
  };
}
