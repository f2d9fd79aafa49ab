/** What the host says in `config.json`, beside the page: the only place that names environments and parents. */
import { strings } from "./strings.ts";

export type TokenWay = "paste" | "relay" | "host";

export interface Environment {
  name: string;
  /** Address of the environment, without a slash at its end. */
  url: string;
  company?: string;
}

export interface Config {
  environments: readonly Environment[];
  /** Exact origins of pages that may hold this one in a frame. */
  parents: readonly string[];
  /** Ways to a token when the page stands alone; in a frame it is the parent's. */
  token: readonly TokenWay[];
  /** Where the host serves the relay. Requests go there as `<relay>?url=<address>`. */
  relay?: string;
  /** A module of the host with a function `getToken(request)`. */
  host?: string;
}

const WAYS: readonly TokenWay[] = ["paste", "relay", "host"];

export async function loadConfig(): Promise<Config> {
  const answer = await fetch("./config.json", { cache: "no-store", redirect: "error" });
  if (!answer.ok) throw new Error(strings.config.missing(answer.status));
  return parseConfig(await answer.json(), document.baseURI);
}

/** @throws {Error} with a sentence that names the entry that can't be meant */
export function parseConfig(value: unknown, base: string): Config {
  const given = record(value, "config.json");
  const environments = list(given.environments, "environments").map((one, i) => environment(one, `environments[${i}]`));
  if (environments.length === 0) throw bad("environments", strings.config.none);
  const parents = list(given.parents ?? [], "parents").map((one, i) => origin(one, `parents[${i}]`));
  const token = list(given.token ?? ["paste"], "token").map((one, i) => {
    const way = WAYS.find((known) => known === one);
    if (!way) throw bad(`token[${i}]`, WAYS.join(", "));
    return way;
  });
  const relay = given.relay === undefined ? undefined : ours(given.relay, "relay", base);
  const host = given.host === undefined ? undefined : ours(given.host, "host", base);
  if (token.includes("relay") && !relay) throw bad("token", strings.config.relayless);
  if (token.includes("host") && !host) throw bad("token", strings.config.hostless);
  return { environments, parents, token, ...(relay && { relay }), ...(host && { host }) };
}

function environment(value: unknown, at: string): Environment {
  const given = record(value, at);
  const url = address(given.url, `${at}.url`);
  if (url.search || url.hash || url.username || url.password) throw bad(`${at}.url`, strings.config.bare);
  const name = given.name === undefined ? url.host : text(given.name, `${at}.name`);
  const company = given.company === undefined ? undefined : text(given.company, `${at}.company`);
  return { name, url: url.href.replace(/\/+$/, ""), ...(company && { company }) };
}

function origin(value: unknown, at: string): string {
  const url = address(value, at);
  if (url.origin !== value) throw bad(at, strings.config.origin);
  return url.origin;
}

/** https, or http on the machine itself. */
function address(value: unknown, at: string): URL {
  const given = text(value, at);
  if (!URL.canParse(given)) throw bad(at, strings.config.address);
  const url = new URL(given);
  const local = url.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !local) throw bad(at, strings.config.address);
  return url;
}

/** An address of the page's own origin. */
function ours(value: unknown, at: string, base: string): string {
  const given = text(value, at);
  const url = URL.canParse(given, base) ? new URL(given, base) : undefined;
  if (url?.origin !== new URL(base).origin) throw bad(at, strings.config.sameOrigin);
  return url.href;
}

function record(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(at, strings.config.object);
  return value as Record<string, unknown>;
}

function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw bad(at, strings.config.list);
  return value;
}

function text(value: unknown, at: string): string {
  if (typeof value !== "string" || value === "") throw bad(at, strings.config.text);
  return value;
}

function bad(at: string, wanted: string): Error {
  return new Error(strings.config.bad(at, wanted));
}
