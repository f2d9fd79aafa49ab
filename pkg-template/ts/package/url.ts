/** A package behind a URL, read by ranges. */
import { ClmError, type ErrorCode, isClmError } from "../errors.js";
import type { Access } from "./access.js";

/**
 * Bytes of the first request: the longest end record of a zip with its comment, and with it mostly the directory, the header and
 * the manifest.
 */
const TAIL = 65_557;
/** Fewer bytes are never asked for, so that neighbours come along. */
const LEAST = 32 * 1024;

/** What tells one version of a file from the next. */
interface Version {
  size: number;
  etag: string | null;
  modified: string | null;
}

/** `spool` takes the body of a server that gives no ranges. */
export async function openUrl(
  url: URL,
  fetch: typeof globalThis.fetch,
  spool: (body: unknown) => Promise<Access>,
  signal: AbortSignal | undefined,
): Promise<Access> {
  const get = (range: string, version?: Version) => request(url, fetch, range, version, signal);
  let response = await get(`bytes=-${TAIL}`);
  if (response.status !== 206) {
    // Azure storage knows no ranges from the end, and gives the whole; other servers refuse them.
    const size = sizeOf(response);
    if (size === undefined || (response.ok && size <= TAIL)) return spoolWhole(response, () => get(""), spool);
    await drop(response);
    if (size === 0) return spool(new Blob([]).stream());
    response = await get(`bytes=${Math.max(0, size - TAIL)}-${size - 1}`);
  }
  const range = rangeOf(response);
  // A page sees Content-Range of another origin only where the server exposes it.
  if (!range) return spoolWhole(response, () => get(""), spool);
  const tail = await bytesOf(response, url);
  const version = {
    size: range.size,
    etag: response.headers.get("etag"),
    modified: response.headers.get("last-modified"),
  };
  return new Ranges(url, fetch, version, { start: range.start, bytes: tail });
}

interface Piece {
  start: number;
  bytes: Uint8Array;
}

class Ranges implements Access {
  readonly size: number;
  readonly held = false;
  readonly #url: URL;
  readonly #fetch: typeof globalThis.fetch;
  readonly #version: Version;
  readonly #tail: Piece;
  #last: Piece | undefined;

  constructor(url: URL, fetch: typeof globalThis.fetch, version: Version, tail: Piece) {
    this.size = version.size;
    this.#url = url;
    this.#fetch = fetch;
    this.#version = version;
    this.#tail = tail;
  }

  async read(start: number, end: number, signal: AbortSignal): Promise<Uint8Array> {
    for (const piece of [this.#tail, this.#last]) {
      if (piece && start >= piece.start && end <= piece.start + piece.bytes.length) {
        return piece.bytes.subarray(start - piece.start, end - piece.start);
      }
    }
    // What the tail holds is not fetched twice.
    const stop = Math.max(end, Math.min(start + LEAST, this.size, this.#tail.start));
    const response = await request(this.#url, this.#fetch, `bytes=${start}-${stop - 1}`, this.#version, signal);
    const range = rangeOf(response);
    const { size, etag, modified } = this.#version;
    const same =
      range?.size === size &&
      range.start === start &&
      (response.headers.get("etag") ?? etag) === etag &&
      (response.headers.get("last-modified") ?? modified) === modified;
    if (!same) {
      await drop(response);
      throw changed();
    }
    const bytes = await bytesOf(response, this.#url);
    if (bytes.length < end - start) throw changed();
    if (stop > end) this.#last = { start, bytes };
    return bytes.subarray(0, end - start);
  }
}

function changed(): ClmError {
  return new ClmError("PACKAGE_CORRUPT", "the package changed while it was read", {
    hint: "Open it again once nobody writes to it any more.",
  });
}

async function request(
  url: URL,
  fetch: typeof globalThis.fetch,
  range: string,
  version: Version | undefined,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const headers: Record<string, string> = range ? { range } : {};
  // Another origin would have to allow this header: there the answers are compared only.
  const origin = (globalThis as { location?: { origin?: string } }).location?.origin;
  if (version && (origin === undefined || origin === url.origin)) {
    const strong = version.etag?.startsWith('"') ? version.etag : null;
    const validator = strong ?? version.modified;
    if (validator) headers["if-range"] = validator;
  }
  let response: Response;
  try {
    response = await fetch(url, { headers, ...(signal ? { signal } : {}) });
  } catch (e) {
    throw failed(e, url, signal);
  }
  if (response.ok || response.status === 416 || (response.status === 400 && !version)) return response;
  const { status } = response;
  await drop(response);
  throw new ClmError(codeOf(status), `${placeOf(url)} answered ${status}`, {
    status,
    hint: "Check the address; one with a signature may have expired.",
  });
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return "FORBIDDEN";
  return status === 404 || status === 410 ? "NOT_FOUND" : "SERVICE_ERROR";
}

function failed(e: unknown, url: URL, signal: AbortSignal | undefined): ClmError {
  if (isClmError(e)) return e;
  if (signal?.aborted) {
    return isClmError(signal.reason)
      ? signal.reason
      : new ClmError("ABORTED", "the caller gave up", { cause: signal.reason });
  }
  const page = typeof (globalThis as { document?: unknown }).document === "object";
  return new ClmError(page ? "CORS_OR_NETWORK" : "NETWORK", `no answer came from ${placeOf(url)}`, {
    cause: e,
    hint: page
      ? "The server must allow this origin and expose Content-Range and ETag; or fetch through your own backend with `fetch`."
      : "Check address and network.",
  });
}

async function bytesOf(response: Response, url: URL): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (e) {
    throw failed(e, url, undefined);
  }
}

/** The answer itself where it is the whole already, else another one without a range. */
async function spoolWhole(
  response: Response,
  whole: () => Promise<Response>,
  spool: (body: unknown) => Promise<Access>,
): Promise<Access> {
  if (response.status === 200) return spool(response.body ?? new Blob([]).stream());
  await drop(response);
  const { body } = await whole();
  return spool(body ?? new Blob([]).stream());
}

/** Says that the body is not wanted. */
async function drop(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

function rangeOf(response: Response): { start: number; size: number } | undefined {
  if (response.status !== 206) return undefined;
  const [, start, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  return start === undefined ? undefined : { start: Number(start), size: Number(size) };
}

/** Of an answer that is no range: by its length, or by what is said about a range that can't be satisfied. */
function sizeOf(response: Response): number | undefined {
  const [, unsatisfied] = /^bytes \*\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (unsatisfied !== undefined) return Number(unsatisfied);
  const length = response.ok ? response.headers.get("content-length") : null;
  return length === null || response.headers.has("content-encoding") ? undefined : Number(length);
}

/** Without the query: it may hold a signature. */
function placeOf(url: URL): string {
  return url.origin + url.pathname;
}
