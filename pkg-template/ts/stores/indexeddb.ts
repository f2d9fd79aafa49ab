/** Checkpoints of pages, extensions and web workers. */
import { ClmError } from "../errors.js";
import { randomId } from "../job.js";
import { type CheckpointStore, checkKey, conflict, storeFailed } from "./store.js";

const TABLE = "checkpoints";

interface Kept {
  value: string;
  version: string;
}

/**
 * A store in IndexedDB, shared by all tabs and workers of the origin. Writing asks the browser for strict durability: what was
 * kept survives the tab, the browser and, where the browser keeps its word, a power failure. A browser may clear it when space
 * is short, unless the page was granted `navigator.storage.persist()`.
 *
 * @param database name of the database; one of your own
 * @throws {ClmError} NETWORK from its functions where the database can't be opened (private windows of some browsers) or written
 */
export function indexedDbStore(database: string): CheckpointStore {
  let opening: Promise<IDBDatabase> | undefined;

  /** The open database; opened anew when the browser closed it. */
  function open(): Promise<IDBDatabase> {
    opening ??= new Promise<IDBDatabase>((resolve, reject) => {
      if (typeof indexedDB === "undefined") {
        reject(new ClmError("INVALID_ARGUMENT", "this runtime has no IndexedDB", { hint: "Use another store." }));
        return;
      }
      const request = indexedDB.open(database, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const db = request.result;
        const forget = () => {
          opening = undefined;
        };
        db.onclose = forget;
        // Another tab deletes the database: it must not wait for this one.
        db.onversionchange = () => {
          forget();
          db.close();
        };
        resolve(db);
      };
    });
    const mine = opening;
    mine.catch(() => {
      if (opening === mine) opening = undefined;
    });
    return mine;
  }

  /** Runs within one transaction, and resolves when that is complete. */
  async function within<T>(
    key: string,
    mode: IDBTransactionMode,
    what: string,
    step: (table: IDBObjectStore, found: Kept | undefined) => T,
  ): Promise<T> {
    checkKey(key);
    try {
      const db = await open();
      return await new Promise<T>((resolve, reject) => {
        const transaction = db.transaction(TABLE, mode, { durability: "strict" });
        let outcome: { value: T } | undefined;
        let refused: unknown;
        const table = transaction.objectStore(TABLE);
        const request = table.get(key) as IDBRequest<Kept | undefined>;
        request.onsuccess = () => {
          try {
            outcome = { value: step(table, request.result) };
          } catch (e) {
            refused = e;
            transaction.abort();
          }
        };
        transaction.oncomplete = () => {
          if (outcome) resolve(outcome.value);
        };
        transaction.onabort = () => reject(refused ?? transaction.error);
      });
    } catch (e) {
      throw e instanceof ClmError ? e : storeFailed(key, what, e);
    }
  }

  return {
    load: (key) => within(key, "readonly", "read", (_, found) => found && { ...found }),
    save: (key, value, ifVersion) =>
      within(key, "readwrite", "kept", (table, found) => {
        if (found?.version !== ifVersion) throw conflict(key);
        const version = randomId();
        table.put({ value: String(value), version }, key);
        return version;
      }),
    delete: (key, ifVersion) =>
      within(key, "readwrite", "deleted", (table, found) => {
        if (!found) return;
        if (ifVersion !== undefined && found.version !== ifVersion) throw conflict(key);
        table.delete(key);
      }),
  };
}
