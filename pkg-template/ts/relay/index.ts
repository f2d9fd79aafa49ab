/**
 * "d365-clm/relay": the way of a page to the service and its blob storage, which answer no cross-origin page.
 *
 * Here and in the files beside it stand the relay's own rules: who may ask, for what, and what comes back. It knows nothing of
 * WebAssembly, so that it is small and starts at once wherever it runs (docs/decisions/0010-relay.md).
 */
import type { Token } from "../token.js";
import { isPrivate, type Resolve, systemResolve } from "./addresses.js";
import { isAllowed, preflight, withCors } from "./caller.js";
import { answered, forwarded, refusal, unreachable } from "./exchange.js";
import { bytesOf, settingsOf } from "./settings.js";
import { isIpLiteral, readTarget, type Target } from "./target.js";
import { isUrlAction, Tickets, takesUrl } from "./ticket.js";

export type { Resolve } from "./addresses.js";

export interface RelayOptions {
  /**
   * Exact origins (with the on-premises path) that may be reached: https, or http on loopback with its port, for a sandbox. At least
   * one.
   */
  environments: string[];
  /** Paths below an environment, with what is below them. Default: /data, /Metadata, /api/connector, compared without regard to case. */
  paths?: string[];
  /**
   * Signs tickets for the blob URLs that the environments hand out; the same on every instance, 16 bytes at least. A ticket is good
   * for an hour, for one blob, and for reading or for uploading.
   */
  secret: string | Uint8Array;
  /** Storage hosts (with a port where it is not 443) reachable without a ticket, over https; default none. */
  blobHosts?: string[];
  /** Origins of pages that may ask; default: the relay's own origin only. */
  origins?: string[];
  /**
   * When given, the page never holds a token: the relay adds it, after the host has authenticated the request. It gets the request
   * without its body. `undefined`: 401, for the storage too.
   */
  authorize?: (request: Request) => Promise<Token | undefined>;
  /** Default: the global one. */
  fetch?: typeof fetch;
  /**
   * The addresses of a host name: private ones are refused. Default: those of the system where the runtime tells them (Node, Bun,
   * Deno), else no check. `false`: no check, for environments on premises or storage behind private addresses.
   */
  resolve?: Resolve | false;
}

/**
 * A stateless handler for the host's own origin (Node http, Azure Functions, workers). It streams both ways, follows no redirect,
 * logs and caches nothing. What is outside of its lists gets 403 with the reason as JSON and its code in `x-d365-clm-relay`.
 *
 * The relay does not authenticate anybody: put it behind the host's own sign-in, or do it in `authorize`.
 *
 * @example
 * const relay = createRelay({ environments: ["https://contoso.operations.dynamics.com"], secret: process.env.RELAY_SECRET });
 * export default { fetch: relay };
 * @throws {ClmError} INVALID_ARGUMENT
 */
export function createRelay(options: RelayOptions): (request: Request) => Promise<Response> {
  const settings = settingsOf(options);
  const tickets = new Tickets(bytesOf(options.secret));
  const { authorize } = options;
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
  const resolve = options.resolve === false ? undefined : (options.resolve ?? systemResolve());

  const answer = async (request: Request): Promise<Response> => {
    if (!isAllowed(request, settings.origins)) return refusal(403, "RELAY_ORIGIN", "the relay does not know this page");
    const asked = new URL(request.url, "http://relay.invalid").searchParams.getAll("url");
    const target = asked.length === 1 ? readTarget(asked[0] ?? "") : undefined;
    if (!target) return refusal(403, "RELAY_URL", "the relay takes one whole URL without detours as `url`");
    const environment = settings.environmentOf(target);
    if (environment === undefined) {
      const stored = await allowedStorage(request, target);
      if (stored) return stored;
    }
    const loopback = environment?.loopback ?? target.loopback;
    const hidden = loopback ? undefined : await refusedAddress(target);
    if (hidden) return hidden;

    const token = authorize ? await bearerOf(authorize, request) : undefined;
    if (authorize && token === undefined)
      return refusal(401, "RELAY_UNAUTHORIZED", "the host did not let the request in");
    const action = environment && request.method === "POST" ? target.path : "";
    const init = await forwarded(request, {
      toStorage: environment === undefined,
      token,
      hidesTickets: takesUrl(action),
    });
    if (init instanceof Response) return init;
    let upstream: Response;
    try {
      upstream = await send(target.url.href, init);
    } catch {
      // Neither the words nor the cause: they may name hosts and options.
      return unreachable();
    }
    const kind = environment && isUrlAction(action);
    const ticket = kind ? (text: string) => tickets.into(text, kind, environment.loopback) : undefined;
    return answered(upstream, { toStorage: environment === undefined, ticket });
  };

  /** Why the target is no storage that may be reached. Its ticket is taken off. */
  const allowedStorage = async (request: Request, target: Target): Promise<Response | undefined> => {
    const ticket = target.takeOption(tickets.option);
    if (target.url.protocol === "https:" && settings.blobHosts.includes(target.authority)) return undefined;
    if (ticket === undefined) return refusal(403, "RELAY_TARGET", "the relay may not reach this URL");
    const local = target.loopback && !settings.environments.some(({ loopback }) => loopback);
    if (local || !(await tickets.isGood(ticket, target, request.method))) {
      return refusal(403, "RELAY_TICKET", "the ticket of this URL is not good for it, or has expired");
    }
    return undefined;
  };

  const refusedAddress = async (target: Target): Promise<Response | undefined> => {
    const { hostname } = target.url;
    if (!resolve || isIpLiteral(hostname)) return undefined;
    try {
      const addresses = await resolve(hostname);
      if (addresses.length > 0 && !addresses.some(isPrivate)) return undefined;
      return addresses.length > 0
        ? refusal(403, "RELAY_PRIVATE", "the host's name leads to a private address")
        : unreachable();
    } catch {
      return unreachable();
    }
  };

  return async (request) => {
    const asked = preflight(request, settings.origins);
    if (asked) return asked;
    let response: Response;
    try {
      response = await answer(request);
    } catch {
      response = refusal(500, "RELAY_FAILED", "the relay could not handle the request");
    }
    return withCors(response, request, settings.origins);
  };
}

/**
 * The `rewriteUrl` that goes with it.
 *
 * @param relay Where the host serves the relay, for example "/relay".
 */
export function relayUrl(relay: string | URL): (url: string) => string {
  const address = String(relay);
  const before = `${address}${address.includes("?") ? "&" : "?"}url=`;
  return (url) => before + encodeURIComponent(url);
}

async function bearerOf(
  authorize: NonNullable<RelayOptions["authorize"]>,
  request: Request,
): Promise<string | undefined> {
  // Without its body, which can be read only once.
  const url = new URL(request.url, "http://relay.invalid").href;
  const given = await authorize(
    new Request(url, { method: request.method, headers: new Headers([...request.headers]) }),
  );
  return typeof given === "string" ? given : given?.token;
}
