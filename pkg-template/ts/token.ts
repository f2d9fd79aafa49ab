/** The host's token source in the one shape that the module knows. Nothing here keeps a token. */
import { type ClmError, invalid } from "./errors.js";
import type { WireHost } from "./wire.js";

/** What a token is asked for. */
export interface TokenRequest {
  /** The environment's origin: what the token's `aud` must be. */
  resource: string;
  /** `resource` with `/.default`, for the v2 endpoint. */
  scope: string;
  /** `rejected`: the service refused the last one, so a cached token will not do. */
  reason: "first" | "expiring" | "rejected";
  /** Aborted when none of the calls that wait for the token wants it any more. */
  signal?: AbortSignal;
}
/** `expiresOn`: milliseconds since 1970, an ISO 8601 text or a Date. Without it a token is used until it is refused. */
export type Token = string | { token: string; expiresOn?: number | string | Date };
/** Any TokenCredential of @azure/identity. */
export interface TokenCredentialLike {
  getToken(
    scopes: string | string[],
    options?: { abortSignal?: AbortSignal },
  ): Promise<{ token: string; expiresOnTimestamp: number } | null>;
}

/** Where a host's number stops looking like milliseconds: 1973 in milliseconds, year 5138 in seconds. */
const EARLIEST = 100_000_000_000;

/** @throws {ClmError} INVALID_ARGUMENT where both or something else than functions are given. */
export function tokenSource(
  getToken: ((request: TokenRequest) => Token | Promise<Token>) | undefined,
  credential: TokenCredentialLike | undefined,
): WireHost["getToken"] {
  if (getToken !== undefined && credential !== undefined) {
    throw invalid("getToken and credential are both given", { hint: "Give one of them." });
  }
  if (getToken !== undefined) {
    if (typeof getToken !== "function") throw invalid("getToken must be a function");
    return async (request) => normalise(await getToken(request));
  }
  if (credential === undefined) return undefined;
  if (typeof credential?.getToken !== "function") throw invalid("credential must have a function getToken");
  return async ({ scope, signal }) => {
    const token = await credential.getToken(scope, signal ? { abortSignal: signal } : {});
    if (!token) throw bad("the credential gave no token");
    return normalise({ token: token.token, expiresOn: token.expiresOnTimestamp });
  };
}

function normalise(given: Token): { token: string; expiresOn?: number } {
  const { token, expiresOn } = typeof given === "string" ? { token: given, expiresOn: undefined } : (given ?? {});
  // Never the value itself: it may be a token in the wrong place.
  if (typeof token !== "string" || token === "") throw bad("getToken gave no token");
  if (expiresOn === undefined) return { token };
  const at =
    expiresOn instanceof Date ? expiresOn.getTime() : typeof expiresOn === "string" ? Date.parse(expiresOn) : expiresOn;
  if (typeof at !== "number" || Number.isNaN(at)) throw bad("expiresOn of the token is no point in time");
  if (at < EARLIEST) throw bad("expiresOn of the token lies before 1974: it is meant in milliseconds, not in seconds");
  return { token, expiresOn: at };
}

function bad(message: string): ClmError {
  return invalid(message, {
    hint: "Return the token itself, or { token, expiresOn } with expiresOn as Date, text or milliseconds.",
  });
}
