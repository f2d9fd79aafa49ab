/** The connection as the page sees it. A token lives in the closure that gives it, in memory, and nowhere else. */
import type { Token } from "d365-clm";
import type { Config, Environment } from "./config.ts";
import type { Engine } from "./engine/client.ts";
import type { TokenQuestion } from "./engine/protocol.ts";

export type GiveToken = (question: TokenQuestion) => Promise<Token>;

export interface Connected {
  environment: Environment;
  company: string;
  companies: readonly string[];
  can: { diagnose: boolean; sync: boolean; clm: boolean };
}

export class Session {
  readonly config: Config;
  readonly engine: Engine;
  #connected: Connected | undefined;
  #listeners: (() => void)[] = [];

  constructor(config: Config, engine: Engine) {
    this.config = config;
    this.engine = engine;
  }

  get connected(): Connected | undefined {
    return this.#connected;
  }

  onChange(call: () => void): void {
    this.#listeners.push(call);
  }

  /** Without `giveToken` the relay adds the token. */
  async connect(environment: Environment, company: string, giveToken: GiveToken | undefined): Promise<void> {
    this.#set(undefined);
    if (giveToken) this.engine.giveToken = giveToken;
    const { companies, can } = await this.engine.call("connect", {
      url: environment.url,
      token: giveToken !== undefined,
      ...(company && { company }),
      ...(this.config.relay && { relay: this.config.relay }),
    });
    this.#set({ environment, company, companies, can });
  }

  async disconnect(): Promise<void> {
    this.engine.giveToken = () => Promise.reject(new Error("disconnected"));
    await this.engine.call("disconnect", undefined);
    this.#set(undefined);
  }

  #set(connected: Connected | undefined): void {
    this.#connected = connected;
    for (const call of this.#listeners) call();
  }
}
