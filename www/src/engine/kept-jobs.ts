/**
 * The imports that this browser has begun, so that they can be gone on with after a reload: what they are, and the package until the
 * run has ended. Never a token.
 */
export interface KeptJob {
  id: string;
  environment: string;
  company: string;
  project: string;
  entity: string;
  started: string;
  ended?: string;
  /** The service's word for the end, or the code of the error. */
  status?: string;
  rows?: number;
  rejected?: number;
  /** Gone when the job has ended. */
  source?: Blob;
}

const DATABASE = "d365-clm-admin-jobs";
const TABLE = "jobs";
/** Jobs that are remembered. */
const KEPT = 200;

export async function keepJob(job: KeptJob): Promise<void> {
  await within("readwrite", (table) => table.put(job));
}

export async function keptJob(id: string): Promise<KeptJob | undefined> {
  return within<KeptJob | undefined>("readonly", (table) => table.get(id));
}

export async function forgetJob(id: string): Promise<void> {
  await within("readwrite", (table) => table.delete(id));
}

/** Newest first. Older ones than the last 200 are forgotten. */
export async function keptJobs(): Promise<KeptJob[]> {
  const all = await within<KeptJob[]>("readonly", (table) => table.getAll());
  all.sort((a, b) => (a.started < b.started ? 1 : -1));
  for (const old of all.slice(KEPT)) if (old.ended) await forgetJob(old.id);
  return all.slice(0, KEPT);
}

let opening: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" });
    request.onerror = () => reject(request.error);
    request.onsuccess = () => resolve(request.result);
  });
  opening.catch(() => {
    opening = undefined;
  });
  return opening;
}

async function within<T>(mode: IDBTransactionMode, act: (table: IDBObjectStore) => IDBRequest): Promise<T> {
  const db = await database();
  return new Promise<T>((resolve, reject) => {
    const transaction = db.transaction(TABLE, mode);
    const request = act(transaction.objectStore(TABLE));
    transaction.oncomplete = () => resolve(request.result as T);
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}
