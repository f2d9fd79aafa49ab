/** How far the synchronisation of master data is. The page looks, and can run a pass; what is done with the rows is the host's. */
import { indexedDbStore } from "d365-clm";
import { need } from "./newer.ts";
import { scm } from "./service.ts";
import type { Run } from "./worker.ts";

const store = indexedDbStore("d365-clm-admin-sync");
const NAME = "admin";

export type WithoutTracking = "error" | "full" | "compare";

function sync(companies: string[], signal: AbortSignal, withoutTracking: WithoutTracking = "error") {
  const client = scm();
  need(client.sync, "sync()");
  // Called on the client: it is a method.
  const made = client.sync?.({
    name: NAME,
    store,
    signal,
    withoutTracking,
    ...(companies.length > 0 && { companies }),
  });
  return need(made, "sync()");
}

export const methods = {
  async syncStatus({ companies }: { companies: string[] }, { signal }: Run) {
    return sync(companies, signal).status();
  },

  /** One pass through all entities and companies: the rows are counted, and let go. */
  async syncRun(
    { companies, withoutTracking }: { companies: string[]; withoutTracking: WithoutTracking },
    { signal, tell }: Run,
  ) {
    const counts = new Map<string, { entity: string; company: string; rows: number; deleted: number }>();
    let done = 0;
    for await (const { entity, company = "", rows, deletedKeys, commit } of batches(
      sync(companies, signal, withoutTracking),
    )) {
      const key = `${entity}\n${company}`;
      const count = counts.get(key) ?? { entity, company, rows: 0, deleted: 0 };
      count.rows += rows.length;
      count.deleted += deletedKeys.length;
      counts.set(key, count);
      done += rows.length;
      await commit();
      tell({ stage: `${entity} ${company}`.trim(), done, unit: "rows" });
    }
    return [...counts.values()];
  },
};

async function* batches(source: ReturnType<typeof sync>) {
  for await (const batch of source) {
    yield { ...batch, rows: batch.rows, deletedKeys: batch.deletedKeys, commit: () => batch.commit() };
  }
}
