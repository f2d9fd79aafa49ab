/** What the host configured, read once. */
import { invalid } from "../errors.js";
import type { RelayOptions } from "./index.js";
import { isIpLiteral, isLoopback, readTarget, type Target } from "./target.js";

export interface Environment {
  /** Of the address bar's kind: "https://contoso.operations.dynamics.com". */
  origin: string;
  authorities: string[];
  /** In lower case, with the on-premises path. */
  prefixes: string[];
  /** Only these may be plain http, have private addresses, and hand out storage on loopback. */
  loopback: boolean;
}

export interface Settings {
  environments: Environment[];
  blobHosts: string[];
  origins: string[];
  environmentOf(target: Target): Environment | undefined;
}

const PATHS = ["/data", "/Metadata", "/api/connector"];
const SHORTEST_SECRET = 16;

export function settingsOf(options: RelayOptions): Settings {
  if (typeof options !== "object" || options === null) throw invalid("a relay needs options");
  for (const name of ["authorize", "fetch"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") throw invalid(`${name} must be a function`);
  }
  const { resolve } = options;
  if (resolve !== undefined && resolve !== false && typeof resolve !== "function") {
    throw invalid("resolve must be a function or false");
  }
  const paths = texts("paths", options.paths ?? PATHS).map(pathOf);
  const environments = texts("environments", options.environments).map((text) => environmentFrom(text, paths));
  if (environments.length === 0) throw invalid("a relay needs an environment");
  return {
    environments,
    blobHosts: texts("blobHosts", options.blobHosts ?? []).map(blobHost),
    origins: texts("origins", options.origins ?? []).map(pageOrigin),
    environmentOf: ({ url, authority, path }) =>
      environments.find(
        (one) =>
          one.origin === url.origin &&
          one.authorities.includes(authority) &&
          one.prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
      ),
  };
}

export function bytesOf(secret: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
  if (!(bytes instanceof Uint8Array) || bytes.length < SHORTEST_SECRET) {
    throw invalid(`the relay's secret has less than ${SHORTEST_SECRET} bytes`, {
      hint: "Make one with: openssl rand -base64 32",
    });
  }
  return bytes.slice();
}

function texts(name: string, list: unknown): string[] {
  if (Array.isArray(list) && list.every((one) => typeof one === "string")) return list;
  throw invalid(`${name} must be a list of texts`);
}

function pathOf(path: string): string {
  const plain = path.replace(/\/+$/, "").toLowerCase();
  if (readTarget(`https://relay.invalid${plain}`)?.path === plain && plain.startsWith("/")) return plain;
  throw invalid(`"${path}" is no path of the relay`, { hint: 'Like "/data": no host, query, dots or escapes.' });
}

function environmentFrom(text: string, paths: readonly string[]): Environment {
  const target = readTarget(text.trim());
  const loopback = target?.loopback ?? false;
  const secure = target?.url.protocol === "https:" || (loopback && target?.url.port !== "");
  if (!target || !secure || target.url.search !== "") {
    // Not the text itself: it may hold a password.
    throw invalid("an environment of the relay is no origin that it may reach", {
      hint: "Like https://contoso.operations.dynamics.com, on premises with its path, or http://127.0.0.1:8080 for a sandbox.",
    });
  }
  const { origin, host } = target.url;
  const base = target.path.replace(/\/+$/, "");
  return {
    origin,
    authorities: [host, target.authority],
    prefixes: paths.map((path) => base + path),
    loopback,
  };
}

function blobHost(text: string): string {
  const host = text.trim().toLowerCase();
  const target = readTarget(`https://${host}/`);
  if (target?.authority !== host || target.url.pathname !== "/" || target.url.search !== "" || /[/?#*]/.test(host)) {
    throw invalid(`blobHosts: "${text}" is no host`, {
      hint: "Like contoso.blob.core.windows.net: exact, no patterns.",
    });
  }
  if (isLoopback(target.url.hostname)) {
    throw invalid(`blobHosts: ${host} is this machine`, {
      hint: "Storage of a sandbox is reached by the tickets of an environment on loopback.",
    });
  }
  if (!isIpLiteral(target.url.hostname) && !host.includes(".")) throw invalid(`blobHosts: "${text}" is no whole name`);
  return host;
}

function pageOrigin(text: string): string {
  let origin = "";
  try {
    const url = new URL(text);
    // Extensions' origins are opaque to URL in some runtimes.
    origin = url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin;
  } catch {
    // Refused below.
  }
  if (origin !== "" && text === origin && !/^(null|file:|data:)/.test(text)) return origin;
  throw invalid(`origins: "${text}" is no origin of a page`, {
    hint: "Like https://app.contoso.com, without a path or patterns.",
  });
}
