/** What of a request goes on, and what of an answer comes back: by lists, never by exclusion. */
import { withoutTickets } from "./ticket.js";

const TO_SERVICE = [
  "accept",
  "content-type",
  "content-length",
  "if-match",
  "if-none-match",
  "prefer",
  "odata-version",
  "odata-maxversion",
  "x-ms-client-request-id",
  "x-ms-dyn-externalidentifier",
];
/** Not `x-ms-*`: `x-ms-copy-source` would make the storage fetch for the page. */
const TO_STORAGE = [
  "accept",
  "content-type",
  "content-length",
  "content-md5",
  "range",
  "if-match",
  "if-none-match",
  "x-ms-blob-type",
  "x-ms-blob-content-type",
  "x-ms-range",
  "x-ms-version",
  "x-ms-client-request-id",
];
/** Headers that a page may send. */
export const SENDABLE = [...new Set([...TO_SERVICE, ...TO_STORAGE])];
/** Headers that a page may read. */
export const READABLE = [
  "content-type",
  "content-length",
  "content-range",
  "content-md5",
  "accept-ranges",
  "etag",
  "last-modified",
  "location",
  "date",
  "odata-version",
  "odata-entityid",
  "preference-applied",
  "retry-after",
  "request-id",
  "x-ms-request-id",
  "x-ms-client-request-id",
  "x-ms-activity-id",
  "x-ms-error-code",
  "ms-dyn-aid",
];
const TYPES =
  /^(application\/(json|xml|atom\+xml|zip|x-zip-compressed|octet-stream)|multipart\/mixed|text\/(plain|csv|xml))\s*(;|$)/i;
/** Documents that a browser runs scripts of. */
const ACTIVE = /html|svg|xslt|javascript|ecmascript/i;
const METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"];
/** Bytes of a question or answer of a package action that is held. */
const HELD = 65_536;

/** The request for the other side, or why there is none. */
export async function forwarded(
  request: Request,
  how: { toStorage: boolean; token: string | undefined; hidesTickets: boolean },
): Promise<RequestInit | Response> {
  const { method } = request;
  if (!METHODS.includes(method)) return refusal(405, "RELAY_METHOD", "the relay does not pass on this method");
  const headers = picked(request.headers, how.toStorage ? TO_STORAGE : TO_SERVICE);
  if (!how.toStorage) {
    const bearer = how.token === undefined ? request.headers.get("authorization") : `Bearer ${how.token}`;
    if (bearer !== null && /^Bearer [!-~]+$/i.test(bearer)) headers.set("authorization", bearer);
  }
  // Absent in some runtimes' requests, and refused by others where they do not know them.
  const known = (name: string) => typeof Request !== "undefined" && name in Request.prototype;
  const init: RequestInit & { duplex?: "half" } = {
    method,
    headers,
    redirect: "manual",
    ...(request.signal ? { signal: request.signal } : {}),
    ...(known("credentials") ? { credentials: "omit" } : {}),
    ...(known("cache") ? { cache: "no-store" } : {}),
  };
  const length = headers.get("content-length");
  if (length !== null && !/^\d{1,15}$/.test(length)) return refusal(400, "RELAY_LENGTH", "content-length is no number");
  if (method === "GET" || method === "HEAD" || request.body === null) {
    // A put of nothing still has to say so.
    if (length !== "0") headers.delete("content-length");
    return init;
  }
  if (how.hidesTickets) {
    const text = await held(request.body);
    if (text === undefined) return refusal(413, "RELAY_TOO_LARGE", `the question is larger than ${HELD} bytes`);
    headers.delete("content-length");
    return { ...init, body: withoutTickets(text) };
  }
  init.body = measured(request.body, length);
  init.duplex = "half";
  return init;
}

/** The answer for the page. */
export async function answered(
  upstream: Response,
  how: { toStorage: boolean; ticket: ((text: string) => Promise<string>) | undefined },
): Promise<Response> {
  const { status } = upstream;
  const drop = () => void upstream.body?.cancel().catch(() => {});
  // The service sends a caller without a valid token to its sign-in page. A page is not shown the status of a redirect.
  if (status === 0 || (status >= 300 && status < 400 && status !== 304)) {
    drop();
    return refusal(
      401,
      "RELAY_REDIRECT",
      "the other side answered with a redirect, as the service does without a valid token",
    );
  }
  const type = upstream.headers.get("content-type") ?? "";
  if (ACTIVE.test(type)) {
    drop();
    if (status >= 400) return refusal(status, "RELAY_DOCUMENT", "the other side answered with a document");
    return how.toStorage
      ? refusal(502, "RELAY_DOCUMENT", "the blob is a document that the relay does not pass on")
      : refusal(401, "RELAY_DOCUMENT", "the service answered with a document, as it does without a valid token");
  }
  const headers = picked(upstream.headers, READABLE);
  // fetch has unpacked the body: its length is another.
  if (upstream.headers.has("content-encoding")) headers.delete("content-length");
  if (!TYPES.test(type) && upstream.body !== null) headers.set("content-type", "application/octet-stream");
  harden(headers);
  if (how.ticket === undefined || status !== 200 || upstream.body === null) {
    return new Response(upstream.body, { status, headers });
  }
  const text = await held(upstream.body);
  if (text === undefined) return refusal(502, "RELAY_TOO_LARGE", `the answer is larger than ${HELD} bytes`);
  headers.delete("content-length");
  return new Response(await how.ticket(text), { status, headers });
}

export function refusal(status: number, code: string, message: string): Response {
  const headers = new Headers({ "content-type": "application/json", "x-d365-clm-relay": code });
  harden(headers);
  return new Response(JSON.stringify({ error: { code, message } }), { status, headers });
}

export function unreachable(): Response {
  return refusal(502, "RELAY_UNREACHABLE", "the relay got no answer from the other side");
}

function harden(headers: Headers): void {
  headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  headers.set("content-security-policy", "sandbox");
  headers.set("referrer-policy", "no-referrer");
}

function picked(from: Headers, names: readonly string[]): Headers {
  const headers = new Headers();
  for (const name of names) {
    const value = from.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}

/** The storage refuses bodies of unknown length. Node takes the header's word, workers want a stream that knows. */
function measured(body: ReadableStream<Uint8Array>, length: string | null): ReadableStream<Uint8Array> {
  const { FixedLengthStream } = globalThis as {
    FixedLengthStream?: new (length: number) => TransformStream<Uint8Array, Uint8Array>;
  };
  return length !== null && FixedLengthStream ? body.pipeThrough(new FixedLengthStream(Number(length))) : body;
}

async function held(body: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > HELD) {
      await reader.cancel().catch(() => {});
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
