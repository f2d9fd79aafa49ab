/** A token from a module of the host, beside the page: `export async function getToken({ resource, scope, reason })`. */
import type { GiveToken } from "../session.ts";
import { strings } from "../strings.ts";

/** @param address of the page's own origin, as `config.json` says */
export async function fromHost(address: string): Promise<GiveToken> {
  const module: { getToken?: unknown } = await import(/* @vite-ignore */ address);
  const { getToken } = module;
  if (typeof getToken !== "function") throw new Error(strings.token.noGetToken);
  return async (question) => (getToken as GiveToken)(question);
}
