/** The page's side of the worker: calls, their progress, and the worker's questions for a token. */
import type { Token } from "d365-clm";
import { EngineError, failureOf } from "./failure.ts";
import type { Methods } from "./methods.ts";
import type { TokenQuestion, Told, ToPage, ToWorker } from "./protocol.ts";

export type GiveToken = (question: TokenQuestion) => Promise<Token>;
export interface CallOptions {
  onProgress?: (told: Told) => void;
  signal?: AbortSignal;
}
type Answer<K extends keyof Methods> = Awaited<ReturnType<Methods[K]>>;

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onProgress?: (told: Told) => void;
}

export class Engine {
  /** Asked when the service wants a token; the worker keeps none but the package's own, in memory. */
  giveToken: GiveToken = () => Promise.reject(new Error("there is no token"));
  #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  #pending = new Map<number, Pending>();
  #last = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<ToPage>) => this.#hear(data));
    this.#worker.addEventListener("error", (event) => {
      const error = new Error(event.message || "the worker could not be started");
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    });
  }

  call<K extends keyof Methods>(
    name: K,
    argument: Parameters<Methods[K]>[0],
    options: CallOptions = {},
  ): Promise<Answer<K>> {
    this.#last += 1;
    const id = this.#last;
    options.signal?.addEventListener("abort", () => this.#say({ type: "stop", id }), { once: true });
    return new Promise((resolve, reject) => {
      const { onProgress } = options;
      this.#pending.set(id, {
        resolve: resolve as (value: unknown) => void,
        reject,
        ...(onProgress && { onProgress }),
      });
      this.#say({ type: "call", id, name, argument });
    });
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: ToPage): void {
    if (message.type === "token") {
      void this.#answer(message.id, message.question);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === "told") {
      pending.onProgress?.(message.told);
      return;
    }
    this.#pending.delete(message.id);
    if (message.type === "done") pending.resolve(message.value);
    else pending.reject(new EngineError(message.failure));
  }

  async #answer(id: number, question: TokenQuestion): Promise<void> {
    try {
      this.#say({ type: "token", id, token: await this.giveToken(question) });
    } catch (error) {
      this.#say({ type: "token", id, failure: failureOf(error) });
    }
  }
}
