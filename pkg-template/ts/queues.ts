/** Queues of recurring data jobs ("Recurring integrations"). */
import { invalid, isClmError, throwIfAborted } from "./errors.js";
import { Handle } from "./handle.js";
import { loader } from "./init.js";
import { objectToJson } from "./json.js";
import type { DataPackage } from "./package/data-package.js";
import { type ByteSource, readAll } from "./package/sources.js";
import { openPackage } from "./packages.js";
import { type Call, manage } from "./projects.js";
import { RemoteFile, type WithFiles } from "./remote-file.js";
import { Reporter, type RunOptions } from "./run.js";
import type { WireMessage } from "./wire.js";

/**
 * Where a message stands. The spellings of the service's sources are made one; a word that is none of these comes as it is. The last
 * four are final.
 */
export type MessageStatus =
  | "Enqueued"
  | "Dequeued"
  | "Downloaded"
  | "Acked"
  | "Preprocessing"
  | "Processing"
  | "Processed"
  | "ProcessedWithErrors"
  | "PreProcessingError"
  | "PostProcessingFailed"
  | (string & {});

/** A message that the queue has handed out. */
export interface QueueMessage {
  /** Stable when it comes again. */
  id: string;
  /** Where the file is a data package; disposed of when the handler has returned. */
  package?: DataPackage;
  /** The file from its beginning, until the handler has returned; may be called again. */
  stream(): ReadableStream<Uint8Array>;
  /** When it was handed out before: it comes again, and may have been handled. */
  lastDequeued?: string;
}

/**
 * The activity id (a GUID, with or without braces) is the ID that Data management > Manage scheduled data jobs shows for a recurring
 * job. The job must list the application's client id, and be switched on. Not on-premises.
 *
 * Errors of all: INVALID_ARGUMENT for an id that can't be one; NOT_FOUND, FORBIDDEN, AUTH_REJECTED, THROTTLED, SERVICE_ERROR, NETWORK,
 * TIMEOUT, ABORTED.
 */
export interface RecurringQueues {
  /**
   * Puts a file (with `entity`, label or collection) or a package (without) into the queue; the id of its message. The file is held
   * in memory whole, of a stream at most 64 MiB. `company` defaults to the client's; `externalId` is text that the message keeps.
   *
   * @throws {ClmError} OUTCOME_UNKNOWN where no answer came: it is not sent again, the message may be there or not; PACKAGE_LIMIT
   */
  enqueue(
    activityId: string,
    source: ByteSource,
    options?: { entity?: string; company?: string; externalId?: string } & RunOptions,
  ): Promise<string>;
  /** Where the message stands; see `executions.ofMessage` for the run that it became. */
  status(messageId: string, options?: RunOptions): Promise<MessageStatus>;
  /**
   * Takes one message after another until the queue is empty: downloads it, awaits `handle`, and only then acknowledges it. Resolves
   * with the number of messages that were acknowledged.
   *
   * A message is never lost, and may come twice: what is not acknowledged, for whatever reason, is offered again after 30 minutes
   * with `lastDequeued`. So a handler should be idempotent, or keep the ids that it has handled.
   *
   * | the process dies, or the call fails | the message |
   * |---|---|
   * | before or while it is downloaded or handled | comes again |
   * | after `handle` returned, before the acknowledgement arrived | comes again, although it was handled |
   * | after the acknowledgement arrived | is done |
   *
   * A handler that throws leaves its message in the queue; the call rejects with what it threw. Also rejected, and not
   * acknowledged: a message without a file, and a file that is a damaged zip. The acknowledgement is repeated (5 times in all) and
   * goes out although the signal fired while the handler ran. The file is read in ranges of 4 MiB where the server knows ranges, and
   * held in memory whole where it does not. The bearer token goes along to the environment only; http is turned into https.
   *
   * `onProgress` counts messages, with the unit "entities".
   */
  drain(
    activityId: string,
    handle: (message: QueueMessage) => Promise<void> | void,
    options?: RunOptions,
  ): Promise<number>;
}

export function recurringQueues(call: Call, files: WithFiles): RecurringQueues {
  return {
    enqueue: async (activity, source, { signal, entity, company, externalId } = {}) => {
      const text = objectToJson({ activity, entity, company, externalId }, "the options");
      const bytes = await readAll(source, "the file for the queue", signal);
      return call(signal, (c, s) => c.enqueue(text, bytes, s));
    },
    status: async (message, options) => (await manage<string>(call, "queues.status", { message }, options)) ?? "",
    drain: async (activity, handle, { signal, onProgress } = {}) => {
      if (typeof handle !== "function") throw invalid("a queue is drained into a function");
      const reporter = new Reporter(onProgress);
      for (let done = 0; ; done += 1) {
        reporter.report({ stage: "messages", done, unit: "entities" }, true);
        throwIfAborted(signal);
        const wire = await call(signal, (c, s) => c.dequeue(activity, s));
        if (!wire) return done;
        const message = new Handle<WireMessage>(loader, "the message", () => wire);
        try {
          await deliver(message, handle, files, signal);
          // Without the caller's signal: what was handled should not come again.
          await call(undefined, (_, s) => message.useAsync(s, (m, both) => m.acknowledge(both)));
        } finally {
          message.dispose();
        }
      }
    },
  };
}

async function deliver(
  message: Handle<WireMessage>,
  handle: (message: QueueMessage) => Promise<void> | void,
  files: WithFiles,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [id, lastDequeued] = message.use((m) => [m.id, m.lastDequeued]);
  const file = await RemoteFile.open(
    files,
    () => message.use((m) => m.file()),
    `the file of the message ${id}`,
    signal,
  );
  try {
    const opened = await packageOf(file, signal);
    try {
      await handle({
        id,
        ...(opened && { package: opened }),
        stream: () => file.stream(),
        ...(lastDequeued !== undefined && { lastDequeued }),
      });
    } finally {
      opened?.dispose();
    }
  } finally {
    file.dispose();
  }
}

/** The package in the file. A single file in the form of a workbook is a zip too, and no package. */
async function packageOf(file: RemoteFile, signal: AbortSignal | undefined): Promise<DataPackage | undefined> {
  if (!file.isZip) return undefined;
  try {
    return await openPackage(file.source(), signal ? { signal } : {});
  } catch (e) {
    if (isClmError(e) && e.code === "NOT_A_PACKAGE") return undefined;
    throw e;
  }
}
