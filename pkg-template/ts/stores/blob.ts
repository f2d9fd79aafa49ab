/** Checkpoints in a container of Azure Blob Storage, for functions that run on many machines. */
import { ClmError, invalid } from "../errors.js";
import { type CheckpointStore, checkKey, conflict, storeFailed } from "./store.js";

/** Milliseconds for one request. */
const TIMEOUT = 30_000;
/** Tries of a request that can be repeated without harm. */
const TRIES = 4;

/**
 * A store in a blob container: one block blob for each key, replaced only where its ETag is still the known one.
 *
 * @param containerUrl the container's URL with a shared access signature that may read, write and delete blobs
 *   (`https://account.blob.core.windows.net/container?sv=…&sig=…`); http for loopback only. It stays in memory and appears in no
 *   error.
 * @param options `fetch` in place of the global one
 * @throws {ClmError} INVALID_ARGUMENT for any other URL; from its functions CHECKPOINT_CONFLICT, FORBIDDEN where the signature is
 *   refused, NETWORK where no answer came after 4 tries of at most 30 s
 *
 * A save whose answer was lost is settled by reading the blob again, so a repeated try never takes its own success for somebody
 * else's. ("Specifying conditional headers for Blob service operations", "Put Blob".)
 */
export function blobStore(containerUrl: string, options: { fetch?: typeof fetch } = {}): CheckpointStore {
  const container = parse(containerUrl);
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));

  function urlOf(key: string): string {
    const url = new URL(container);
    const name = checkKey(key)
      .split("/")
      .map((part) => encodeURIComponent(part === "." || part === ".." ? `_${part}` : part))
      .join("/");
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${name}`;
    return url.href;
  }

  /** One answer, or what went wrong on the way. */
  async function once(url: string, init: RequestInit): Promise<Response> {
    const cancel = new AbortController();
    const timer = setTimeout(() => cancel.abort(new Error(`no answer within ${TIMEOUT} ms`)), TIMEOUT);
    try {
      const response = await send(url, { ...init, redirect: "manual", signal: cancel.signal });
      // The body is small, and belongs to the same time limit.
      const body = await response.arrayBuffer();
      const empty = response.status === 204 || response.status === 304 || response.status === 205;
      return new Response(empty ? null : body, { status: response.status, headers: response.headers });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Repeats what got no answer, or a 429 or 5xx. `settle` may end it between two tries. */
  async function request<T>(
    key: string,
    what: string,
    init: RequestInit,
    read: (response: Response) => Promise<T | undefined> | T | undefined,
    settle?: () => Promise<T | undefined>,
  ): Promise<T> {
    const url = urlOf(key);
    let last: unknown;
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if (attempt > 1) {
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt * (0.5 + Math.random())));
        const settled = await settle?.();
        if (settled !== undefined) return settled;
      }
      let response: Response;
      try {
        response = await once(url, init);
      } catch (e) {
        last = e;
        continue;
      }
      const { status } = response;
      if (status === 429 || status >= 500) {
        last = new Error(`the storage answered ${status}`);
        continue;
      }
      if (status === 403 || status === 401) {
        throw new ClmError("FORBIDDEN", `the storage refused the checkpoint "${key}" (HTTP ${status})`, {
          status,
          hint: "The signature of the container's URL has run out, or lacks the right to read, write or delete blobs.",
        });
      }
      const value = await read(response);
      if (value !== undefined) return value;
      throw storeFailed(key, what, new Error(`the storage answered ${status}`));
    }
    throw storeFailed(key, what, last);
  }

  const load: CheckpointStore["load"] = async (key) => {
    const found = await request(key, "read", { method: "GET" }, async (response) => {
      if (response.status === 404) return containerThere(response) && { kept: undefined };
      const version = response.headers.get("etag");
      if (response.status !== 200 || !version) return undefined;
      return { kept: { value: await response.text(), version } };
    });
    return found.kept;
  };

  return {
    load,
    save(key, value, ifVersion) {
      const headers: Record<string, string> = {
        "x-ms-blob-type": "BlockBlob",
        "content-type": "application/json",
        ...(ifVersion === undefined ? { "if-none-match": "*" } : { "if-match": ifVersion }),
      };
      const settle = async (): Promise<string | undefined> => {
        const now = await load(key);
        // Ours arrived, though its answer did not. A value that says nothing new may have been there before.
        if (now && now.version !== ifVersion && now.value === value) return now.version;
        if (now?.version !== ifVersion) throw conflict(key);
        return undefined;
      };
      return request(
        key,
        "kept",
        { method: "PUT", headers, body: value },
        (response) => {
          if (response.status === 412 || response.status === 409) throw conflict(key);
          containerThere(response);
          return response.status === 201 ? (response.headers.get("etag") ?? undefined) : undefined;
        },
        settle,
      );
    },
    async delete(key, ifVersion) {
      const headers: Record<string, string> = ifVersion === undefined ? {} : { "if-match": ifVersion };
      const outcome = await request(key, "deleted", { method: "DELETE", headers }, ({ status }) => {
        if (status === 202 || status === 404) return "gone";
        return status === 412 ? "other" : undefined;
      });
      // Some storages say "precondition failed" also of a blob that is gone already.
      if (outcome === "other" && (await load(key))) throw conflict(key);
    },
  };
}

/** True, or NOT_FOUND. */
function containerThere(response: Response): true {
  if (response.headers.get("x-ms-error-code") !== "ContainerNotFound") return true;
  throw new ClmError("NOT_FOUND", "the container for checkpoints does not exist", {
    status: 404,
    hint: "Create it once in the storage account, or correct the container's URL.",
  });
}

function parse(containerUrl: string): URL {
  let url: URL;
  try {
    url = new URL(containerUrl);
  } catch {
    throw invalid("the container's URL can't be read", {
      hint: "It looks like https://account.blob.core.windows.net/container?sv=…",
    });
  }
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback)) {
    throw invalid("the container's URL needs https; http is for loopback only");
  }
  if (url.username || url.password || url.hash) throw invalid("the container's URL has a user name or a fragment");
  if (url.pathname.replace(/\/+$/, "").length < 2) throw invalid("the container's URL names no container");
  return url;
}
