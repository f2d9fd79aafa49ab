/** The connection to one environment. */
import { ScmClient, type Token } from "d365-clm";
import type { Newer } from "./newer.ts";
import type { TokenQuestion } from "./protocol.ts";

export interface ConnectTo {
  url: string;
  company?: string;
  /** Address of the relay. */
  relay?: string;
  /** Whether the page gives tokens; else the relay adds them. */
  token: boolean;
}

let ask: (question: TokenQuestion) => Promise<Token> = () => Promise.reject(new Error("no page to ask"));
let client: Newer | undefined;
let place: { environment: string; company: string } | undefined;

export function askThePage(question: typeof ask): void {
  ask = question;
}

/** @throws {Error} where the page is not connected */
export function scm(): Newer {
  if (!client) throw new Error("Connect to an environment first.");
  return client;
}

export function where(): { environment: string; company: string } {
  if (!place) throw new Error("Connect to an environment first.");
  return place;
}

export const methods = {
  /** Sends nothing but a question for the companies, by which a wrong token shows at once. */
  async connect({ url, company, relay, token }: ConnectTo) {
    client?.dispose();
    client = undefined;
    const next: Newer = new ScmClient({
      baseUrl: url,
      ...(company && { company }),
      ...(token && { getToken: ({ signal: _, ...question }) => ask(question) }),
      ...(relay && { rewriteUrl: relayUrl(relay) }),
    });
    try {
      const found: string[] = [];
      for await (const row of next.entity("LegalEntities").list({ select: ["LegalEntityId"] })) {
        found.push(String(row.LegalEntityId));
      }
      client = next;
      place = { environment: url, company: company ?? "" };
      return { companies: found, can: abilities(next) };
    } catch (error) {
      next.dispose();
      throw error;
    }
  },

  async disconnect() {
    client?.dispose();
    client = undefined;
    place = undefined;
  },
};

/** What this version of the package has. */
function abilities(scm: Newer): { diagnose: boolean; sync: boolean; clm: boolean } {
  return {
    diagnose: typeof scm.diagnose === "function",
    sync: typeof scm.sync === "function",
    clm: typeof scm.clm === "object",
  };
}

/** Where the relay of the package takes an address. */
function relayUrl(relay: string): (url: string) => string {
  const before = `${relay}${relay.includes("?") ? "&" : "?"}url=`;
  return (url) => before + encodeURIComponent(url);
}
