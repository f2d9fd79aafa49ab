/** Who may ask. */
import { READABLE, refusal, SENDABLE } from "./exchange.js";

const MARK = "x-d365-clm-relay";
const METHODS = "GET, HEAD, POST, PATCH, PUT, DELETE";

/**
 * A request of a page that is listed, or of the relay's own origin. The header is one that no page can send elsewhere without being
 * asked first; the browser alone writes the other two.
 */
export function isAllowed(request: Request, origins: readonly string[]): boolean {
  const { headers } = request;
  if (headers.get(MARK) !== "1") return false;
  if ((headers.get("sec-fetch-dest") ?? "empty") !== "empty") return false;
  const origin = headers.get("origin");
  if (origin !== null && origins.includes(origin)) return true;
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" && origin !== "null";
  // Older browsers say only this much, and not of reading.
  return origin !== null && origin === ownOrigin(request.url);
}

function ownOrigin(url: string): string | undefined {
  try {
    return new URL(url).origin;
  } catch {
    return undefined;
  }
}

/** The answer to a browser that asks beforehand; undefined where that is not what the request is. */
export function preflight(request: Request, origins: readonly string[]): Response | undefined {
  if (request.method !== "OPTIONS") return undefined;
  const origin = request.headers.get("origin");
  const asks = request.headers.has("access-control-request-method");
  if (origin === null || !origins.includes(origin) || !asks) {
    return refusal(403, "RELAY_ORIGIN", "the relay does not know this page");
  }
  const headers = new Headers({
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": ["authorization", MARK, ...SENDABLE].join(", "),
    "access-control-max-age": "600",
    "cache-control": "no-store",
  });
  return withCors(new Response(null, { status: 204, headers }), request, origins);
}

/** Lets a listed page read the answer. */
export function withCors(response: Response, request: Request, origins: readonly string[]): Response {
  if (origins.length === 0) return response;
  response.headers.append("vary", "Origin");
  const origin = request.headers.get("origin");
  if (origin === null || !origins.includes(origin)) return response;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-expose-headers", [MARK, ...READABLE].join(", "));
  return response;
}
