/** Imports, and the runs that the service knows. */
import { type Checkpoint, type ImportResult, indexedDbStore, isClmError, type Job } from "d365-clm";
import { forgetJob, type KeptJob, keepJob, keptJob, keptJobs } from "./kept-jobs.ts";
import { type RejectedRow, withRows } from "./rejected-rows.ts";
import { scm, where } from "./service.ts";
import { builtPackage } from "./table-desk.ts";
import type { Run } from "./worker.ts";

/** Rejected rows, and runs of the service, that go to the page at most. */
const REJECTED = 500;
const RUNS = 500;

const store = indexedDbStore("d365-clm-admin-checkpoints");
const keyOf = (id: string) => `job/${id}`;
/** Those that this worker drives. */
const driven = new Set<string>();

export interface ImportEnd {
  id: string;
  status: string;
  entities: ImportResult["entities"];
  rejected: RejectedRow[];
  rejectedCount: number;
}

export const methods = {
  /** Imports the package that was built last, and ends when the service has. */
  async importBuilt(_: unknown, run: Run): Promise<ImportEnd> {
    const { blob, name, entity } = builtPackage();
    const id = crypto.randomUUID();
    const kept: KeptJob = { id, ...where(), project: name, entity, started: new Date().toISOString(), source: blob };
    const client = scm();
    await keepJob(kept);
    const job = client.importPackage(blob, {
      project: name,
      executionId: id,
      store,
      key: keyOf(id),
      signal: run.signal,
    });
    return follow(job, kept, run);
  },

  /** Goes on with an import of an earlier page. */
  async resumeImport({ id }: { id: string }, run: Run): Promise<ImportEnd> {
    const kept = await keptJob(id);
    if (!kept) throw new Error("This browser does not know the job any more.");
    if (driven.has(id)) throw new Error("The job is under way.");
    if (kept.environment !== where().environment)
      throw new Error(`The job belongs to ${kept.environment}: connect there first.`);
    const { source } = kept;
    const saved = await store.load(keyOf(id));
    if (!saved && !source) throw new Error("Nothing is left of the job that it could go on with.");
    const job = saved
      ? scm().resume(JSON.parse(saved.value) as Checkpoint<"import">, {
          store,
          key: keyOf(id),
          signal: run.signal,
          ...(source && { source }),
        })
      : // Ended before its first checkpoint: nothing was sent.
        scm().importPackage(source as Blob, {
          project: kept.project,
          executionId: id,
          store,
          key: keyOf(id),
          company: kept.company,
          signal: run.signal,
        });
    return follow(job, kept, run);
  },

  async forgetImport({ id }: { id: string }): Promise<void> {
    await store.delete(keyOf(id));
    await forgetJob(id);
  },

  async keptJobs() {
    const jobs = await keptJobs();
    return jobs.map(({ source: _, ...job }) => ({ ...job, driven: driven.has(job.id) }));
  },

  /** The runs that the service remembers, newest first. */
  async runs(_: unknown, { signal, tell }: Run) {
    const out = [];
    for await (const { executionId, project, started, entities } of scm().executions.list({
      signal,
      onProgress: tell,
    })) {
      const sum = (of: "created" | "updated" | "errors") => entities.reduce((all, one) => all + (one[of] ?? 0), 0);
      out.push({
        executionId,
        project,
        ...(started && { started }),
        entities: entities.map(({ entity }) => entity).slice(0, 20),
        status: worst(entities.map(({ status }) => status)),
        rows: sum("created") + sum("updated"),
        errors: sum("errors"),
      });
      if (out.length === RUNS) break;
    }
    return out;
  },

  async runErrors({ id }: { id: string }, { signal }: Run) {
    const out = [];
    for await (const one of scm().executions.errors(id, { signal })) {
      out.push(one);
      if (out.length === REJECTED) break;
    }
    return out;
  },

  async runPage({ id }: { id: string }, { signal }: Run) {
    return scm().executions.pageUrl(id, { signal });
  },
};

async function follow(job: Job<ImportResult>, kept: KeptJob, { tell }: Run): Promise<ImportEnd> {
  driven.add(kept.id);
  const { source, ...rest } = kept;
  try {
    await tellEvents(job, tell);
    const end = await ended(job);
    const rows = end.entities.reduce((sum, { created = 0, updated = 0 }) => sum + created + updated, 0);
    const rejectedCount = end.rejectedCount;
    await keepJob({ ...rest, ended: new Date().toISOString(), status: end.status, rows, rejected: rejectedCount });
    await store.delete(keyOf(kept.id));
    const rejected = await rejectedOf(end);
    return {
      id: kept.id,
      status: end.status,
      entities: end.entities,
      rejected: source ? await withRows(source, kept.entity, rejected) : rejected,
      rejectedCount,
    };
  } catch (error) {
    // What a person stopped, or the net, can be gone on with: it is not ended.
    if (isClmError(error) && ["JOB_FAILED", "JOB_CANCELED"].includes(error.code)) {
      await keepJob({ ...rest, ended: new Date().toISOString(), status: error.code });
      await store.delete(keyOf(kept.id));
    }
    throw error;
  } finally {
    driven.delete(kept.id);
  }
}

async function tellEvents(job: Job<ImportResult>, tell: Run["tell"]): Promise<void> {
  try {
    for await (const { stage, status, progress } of job) {
      const { done, total, unit } = progress ?? {};
      tell({
        stage,
        ...(status && { status }),
        ...(done !== undefined && { done }),
        ...(total !== undefined && { total }),
        ...(unit && { unit }),
      });
    }
  } catch {
    // done() throws it again.
  }
}

/** With its row where the package can tell it; a run that failed as a whole has the service's words alone. */
async function rejectedOf({ errors, rejected }: Ended): Promise<RejectedRow[]> {
  if (!rejected) {
    return errors
      .slice(0, REJECTED)
      .map(({ entity, recordId, field, message }) => ({ entity, key: recordId, field, reason: message }));
  }
  const out: RejectedRow[] = [];
  for await (const { entity, key = "", reason, row } of rejected()) {
    out.push({ entity, key, field: "", reason, ...(row && { row }) });
    if (out.length === REJECTED) break;
  }
  return out;
}

type Ended = Pick<ImportResult, "status" | "entities" | "errors" | "rejectedCount"> &
  Partial<Pick<ImportResult, "rejected">>;

/** A run that failed as a whole has rows and reasons like one that failed in part. */
async function ended(job: Job<ImportResult>): Promise<Ended> {
  try {
    return await job.done();
  } catch (error) {
    const result =
      isClmError(error) && error.code === "JOB_FAILED" ? (error.result as Partial<ImportResult>) : undefined;
    if (!result?.errors?.length) throw error;
    const { status = "Failed", entities = [], errors, rejectedCount = errors.length } = result;
    return { status, entities, errors, rejectedCount };
  }
}

function worst(statuses: string[]): string {
  const order = [/fail|error/i, /cancel/i, /partial/i, /execut|wait|notrun|ready/i];
  for (const pattern of order) {
    const found = statuses.find((status) => pattern.test(status));
    if (found) return found;
  }
  return statuses[0] ?? "";
}
