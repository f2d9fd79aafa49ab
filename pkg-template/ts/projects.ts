/** Data projects (definition groups) over OData. */
import { objectToJson } from "./json.js";
import type { EntityLine } from "./package/spec.js";
import type { RunOptions } from "./run.js";
import type { WireClient } from "./wire.js";

/** A data project (definition group). All companies see it, and none may be named with it. */
export interface DataProject {
  /** Its name, which is its key; without apostrophe. */
  name: string;
  operation: "Import" | "Export";
  /** At most 60 characters. */
  description?: string;
  /** Default "Project". */
  category?: "Project" | "Configuration" | "Integration" | "Other";
  /**
   * Where a new line of an import does not say them, `executionUnit`, `level` and `sequence` follow from what its rows refer to:
   * contract types stand above contracts, those above agreements, those above their lines; likewise vendors, currencies and whatever
   * else the catalogue knows to be referred to. Lines of exports get unit 1, level 1. Lines that are there already keep theirs.
   */
  entities: EntityLine[];
}

/**
 * Errors of all: INVALID_ARGUMENT for a name that the service can't run; AUTH_REJECTED, APP_NOT_REGISTERED, FORBIDDEN, THROTTLED,
 * SERVICE_ERROR, NETWORK, TIMEOUT, ABORTED.
 */
export interface DataProjects {
  /**
   * All projects with their lines. Both sets are read whole (10,000 rows a page) before the first comes. Projects made by hand may
   * have words that this version does not know: operation "All" or "Company", category "CDS".
   */
  list(options?: RunOptions): AsyncIterable<DataProject>;
  /** The project as it is, or undefined. What comes out can go into `ensure`, and changes nothing. */
  get(name: string, options?: RunOptions): Promise<DataProject | undefined>;
  /**
   * Creates the project, or corrects what `project` names and nothing else (mappings, filters and further lines stay; with `exact`
   * further lines are deleted), and says what it changed: "project", "description", "Vendors V2" (made),
   * "Vendors V2.DefaultRefreshType", "Sites V2 (deleted)".
   *
   * New lines get their mapping generated, and it is read back. Where the service refuses to skip staging, it is not skipped; an
   * update conflict is waited out, 5 s up to 3 times. A process that dies on the way leaves a project with some of its lines, and
   * the same call ends at the same project.
   *
   * @throws {ClmError} CONFLICT where a project of that name has the other operation type, or conflicts do not end; UNKNOWN_ENTITY
   * and VALIDATION_FAILED, before anything is made, where an incremental line's entity is not there or not tracked;
   * VALIDATION_FAILED for a line without a valid mapping
   */
  ensure(
    project: DataProject,
    options?: RunOptions & { exact?: boolean },
  ): Promise<{ created: boolean; changed: string[] }>;
  /**
   * Deletes the project with its lines, mappings and filters. One that is not there counts as deleted, so the call may be repeated.
   */
  delete(name: string, options?: RunOptions): Promise<void>;
  /**
   * The next incremental export of the entity starts over; false where the service had nothing to reset. The service's action is
   * known by its name and parameters only (unverified): a project with full exports is the surer way.
   * @throws {ClmError} NOT_FOUND
   */
  resetTracking(name: string, entity: string, options?: RunOptions): Promise<boolean>;
}

export type Call = <T>(
  signal: AbortSignal | undefined,
  call: (c: WireClient, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** A question that `WireClient.manage` knows; its answer, or undefined. */
export async function manage<T>(
  call: Call,
  what: string,
  about: Record<string, unknown>,
  { signal }: RunOptions = {},
): Promise<T | undefined> {
  const text = objectToJson(about, "the arguments");
  const answer = await call(signal, (c, s) => c.manage(what, text, s));
  return answer === undefined ? undefined : JSON.parse(answer);
}

export function dataProjects(call: Call): DataProjects {
  return {
    async *list(options) {
      yield* (await manage<DataProject[]>(call, "projects.list", {}, options)) ?? [];
    },
    get: (name, options) => manage(call, "projects.get", { project: name }, options),
    ensure: async (project, { signal, exact = false } = {}) => {
      const text = objectToJson(project, "the data project");
      return JSON.parse(await call(signal, (c, s) => c.ensureProject(text, exact, s)));
    },
    delete: (name, options) => manage(call, "projects.delete", { project: name }, options),
    resetTracking: async (name, entity, options) =>
      (await manage<boolean>(call, "projects.resetTracking", { project: name, entity }, options)) === true,
  };
}
