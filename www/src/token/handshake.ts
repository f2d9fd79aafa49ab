/**
 * How a page in a frame gets its connection from the page around it.
 *
 *   parent → page   { type: "d365-clm/offer" }                               to the page's origin
 *   page → parent   { type: "d365-clm/hello", nonce }                        to the parent's exact origin
 *   parent → page   { type: "d365-clm/connect", nonce, environment, company } with one MessagePort, which takes all that follows:
 *   page → parent   { type: "connected" } | { type: "refused", reason } | { type: "token", id, request }
 *   parent → page   { type: "token", id, token, expiresOn } | { type: "token", id, error }
 *
 * Only the parent window itself, of an origin that config.json lists, is heard. A nonce serves once. The environment must be one of
 * config.json. A token comes over the port alone.
 */
import type { Token } from "d365-clm";
import type { Config, Environment } from "../config.ts";
import type { GiveToken } from "../session.ts";
import { strings } from "../strings.ts";

/** Milliseconds that the parent has for a token. */
const PATIENCE = 60_000;

export interface Parent {
  environment: Environment;
  company: string;
  giveToken: GiveToken;
  /** Tells the parent that the page is connected, or why not. */
  tell(message: { type: "connected" } | { type: "refused"; reason: string }): void;
}

export interface FrameHost {
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  readonly parent: unknown;
}

/**
 * Messages that come before config.json has are not lost: an offer is kept by the promise.
 *
 * @param refuse told of a parent that config.json does not list, and of an environment that it does not list
 */
export function listenToParent(
  host: FrameHost,
  config: Promise<Config>,
  { connect, refuse }: { connect: (parent: Parent) => void; refuse: (reason: string) => void },
): void {
  /** Given out and not yet used; a later offer makes it worthless. */
  let nonce: string | undefined;
  host.addEventListener("message", async (event) => {
    const type = typeOf(event.data);
    if (type !== "d365-clm/offer" && type !== "d365-clm/connect") return;
    // A sibling, a child or a window that was opened is no parent, whatever its origin.
    if (event.source !== host.parent || event.source === null || event.source === (host as unknown)) return;
    const { parents, environments } = await config.catch(() => ({ parents: [], environments: [] }) as Partial<Config>);
    if (!parents?.includes(event.origin)) {
      refuse(strings.token.foreignParent(event.origin));
      return;
    }
    if (type === "d365-clm/offer") {
      nonce = freshNonce();
      (event.source as Window).postMessage({ type: "d365-clm/hello", nonce }, event.origin);
      return;
    }
    const { nonce: given, environment: url, company } = event.data as Record<string, unknown>;
    const port = event.ports[0];
    const expected = nonce;
    if (expected === undefined || given !== expected || event.ports.length !== 1 || !port) return;
    nonce = undefined;
    const environment = environments?.find((one) => one.url === url);
    if (!environment) {
      port.postMessage({ type: "refused", reason: strings.token.foreignEnvironment });
      refuse(strings.token.foreignEnvironment);
      return;
    }
    connect({
      environment,
      company: typeof company === "string" ? company : (environment.company ?? ""),
      giveToken: tokenOver(port),
      tell: (message) => port.postMessage(message),
    });
  });
}

/** The origin around the page where the browser tells it and config.json does not list it. */
export function foreignAncestor(
  config: Config,
  { ancestorOrigins }: { ancestorOrigins?: ArrayLike<string> },
): string | undefined {
  return Array.from(ancestorOrigins ?? []).find((origin) => !config.parents.includes(origin));
}

function tokenOver(port: MessagePort): GiveToken {
  const waiting = new Map<number, { resolve(token: Token): void; reject(error: Error): void }>();
  let last = 0;
  port.onmessage = ({ data }: MessageEvent) => {
    if (typeOf(data) !== "token") return;
    const { id, token, expiresOn, error } = data as Record<string, unknown>;
    const one = typeof id === "number" ? waiting.get(id) : undefined;
    waiting.delete(id as number);
    if (typeof token !== "string") one?.reject(new Error(typeof error === "string" ? error : strings.token.none));
    else one?.resolve(typeof expiresOn === "number" || typeof expiresOn === "string" ? { token, expiresOn } : token);
  };
  return (request) =>
    new Promise((resolve, reject) => {
      last += 1;
      const id = last;
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(strings.token.slowParent));
      }, PATIENCE);
      const after = <A extends unknown[]>(call: (...given: A) => void) => {
        return (...given: A) => {
          clearTimeout(timer);
          call(...given);
        };
      };
      waiting.set(id, { resolve: after(resolve), reject: after(reject) });
      port.postMessage({ type: "token", id, request });
    });
}

function freshNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function typeOf(data: unknown): unknown {
  return typeof data === "object" && data !== null ? (data as { type?: unknown }).type : undefined;
}
