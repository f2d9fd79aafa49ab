/**
 * Tickets: what lets a page reach one blob through the relay. The service's answers name the blob, the relay signs it.
 *
 * A ticket travels as an option of the blob's URL, which a client carries as it is. It never reaches the storage or the service.
 */
import { isIpLiteral, readTarget, type Target } from "./target.js";

/** Uploading, or reading. */
export type Kind = "w" | "r";

const LIFE_MS = 3_600_000;
const OPTION = "x-d365-clm-ticket";
const IN_TEXT = new RegExp(`[?&]${OPTION}=[A-Za-z0-9._-]*`, "g");
const ACTION = /\/datamanagementdefinitiongroups\/microsoft\.dynamics\.dataentities\.([a-z]+)$/;
const URL_ACTIONS: Readonly<Record<string, Kind>> = {
  getazurewriteurl: "w",
  getexportedpackageurl: "r",
  getimportstagingerrorfileurl: "r",
  getimporttargeterrorkeysfileurl: "r",
};
const TAKE_URL = /^(import|export)from(dmt)?package(async)?$/;
const VERBS: Readonly<Record<Kind, readonly string[]>> = { r: ["GET", "HEAD"], w: ["GET", "HEAD", "PUT"] };
/** What else the storage can do with a blob is nobody's business here. */
const OPERATIONS = ["block", "blocklist"];
/** Names of a network's own. */
const INNER = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|arpa)$/;

/** Which tickets the answer of this action gets. `path` in lower case. */
export function isUrlAction(path: string): Kind | undefined {
  const name = ACTION.exec(path)?.[1] ?? "";
  return Object.hasOwn(URL_ACTIONS, name) ? URL_ACTIONS[name] : undefined;
}

/** Whether the action is told the URL of a package. */
export function takesUrl(path: string): boolean {
  return TAKE_URL.test(ACTION.exec(path)?.[1] ?? "");
}

export function withoutTickets(text: string): string {
  return text.replace(IN_TEXT, "");
}

export class Tickets {
  readonly option = OPTION;
  readonly #secret: Uint8Array<ArrayBuffer>;
  #key: Promise<CryptoKey> | undefined;

  constructor(secret: Uint8Array<ArrayBuffer>) {
    this.#secret = secret;
  }

  /** The action's answer with a ticket in its URL; as it is where there is none, or none that may be reached. */
  async into(text: string, kind: Kind, local: boolean): Promise<string> {
    let answer: { value?: unknown };
    try {
      answer = JSON.parse(text.replace(/^\ufeff/, ""));
    } catch {
      return text;
    }
    const holder = (typeof answer?.value === "object" && answer.value ? answer.value : answer) as { value?: unknown };
    if (typeof holder?.value !== "string") return text;
    const plain = holder.value.trim();
    if (!plain.startsWith("{")) {
      holder.value = await this.#signed(plain, kind, local);
      return JSON.stringify(answer);
    }
    try {
      // A JSON inside of the text.
      const inner = JSON.parse(plain);
      if (typeof inner.BlobUrl !== "string") return text;
      inner.BlobUrl = await this.#signed(inner.BlobUrl, kind, local);
      holder.value = JSON.stringify(inner);
      return JSON.stringify(answer);
    } catch {
      return text;
    }
  }

  async isGood(ticket: string, { url }: Target, method: string): Promise<boolean> {
    const [kind, expires = "", mac = "", more] = ticket.split(".");
    if ((kind !== "r" && kind !== "w") || more !== undefined || !/^[0-9]{1,15}$/.test(expires)) return false;
    const signature = bytesFrom(mac);
    if (!signature) return false;
    const good = await crypto.subtle.verify("HMAC", await this.#imported(), signature, message(url, kind, expires));
    return good && Number(expires) > Date.now() && VERBS[kind].includes(method) && isOrdinary(url);
  }

  async #signed(text: string, kind: Kind, local: boolean): Promise<string> {
    const target = readTarget(text);
    if (!target || !(isPublic(target) || (local && target.loopback))) return text;
    const { url } = target;
    const expires = String(Date.now() + LIFE_MS);
    const mac = await crypto.subtle.sign("HMAC", await this.#imported(), message(url, kind, expires));
    const ticket = `${OPTION}=${kind}.${expires}.${base64url(new Uint8Array(mac))}`;
    return `${text}${url.search === "" ? "?" : "&"}${ticket}`;
  }

  #imported(): Promise<CryptoKey> {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    this.#key ??= crypto.subtle.importKey("raw", this.#secret, algorithm, false, ["sign", "verify"]);
    return this.#key;
  }
}

/** Storage on the net: https on its own port, by a whole name. */
function isPublic({ url, authority, loopback }: Target): boolean {
  const named = !isIpLiteral(url.hostname) && url.hostname.includes(".") && !INNER.test(url.hostname);
  return url.protocol === "https:" && authority === url.hostname && named && !loopback;
}

/** Reading and writing the blob's content, by whole or by blocks. */
function isOrdinary(url: URL): boolean {
  const operations = url.searchParams.getAll("comp");
  const ordinary = operations.length === 0 || (operations.length === 1 && OPERATIONS.includes(operations[0] ?? ""));
  return ordinary && !url.searchParams.has("restype");
}

function message(url: URL, kind: Kind, expires: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(["d365-clm ticket 1", url.origin, url.pathname, kind, expires]));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (c) => ({ "+": "-", "/": "_" })[c] ?? "");
}

function bytesFrom(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  const binary = atob(text.replace(/[-_]/g, (c) => (c === "-" ? "+" : "/")));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}
