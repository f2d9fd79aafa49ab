/** Checkpoints for as long as the process lives. */
import { type CheckpointStore, checkKey, conflict } from "./store.js";

/**
 * A store in memory: for tests, and where losing everything with the process is fine. All jobs that share one value of it see the
 * same checkpoints.
 */
export function memoryStore(): CheckpointStore {
  const kept = new Map<string, { value: string; version: string }>();
  let versions = 0;
  return {
    async load(key) {
      const found = kept.get(checkKey(key));
      return found && { ...found };
    },
    async save(key, value, ifVersion) {
      if (kept.get(checkKey(key))?.version !== ifVersion) throw conflict(key);
      versions += 1;
      const version = String(versions);
      kept.set(key, { value: String(value), version });
      return version;
    },
    async delete(key, ifVersion) {
      const found = kept.get(checkKey(key));
      if (!found) return;
      if (ifVersion !== undefined && found.version !== ifVersion) throw conflict(key);
      kept.delete(key);
    },
  };
}
