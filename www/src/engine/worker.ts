/** The worker: everything that touches the bytes of a package, or the service, runs here. */
import type { Token } from "d365-clm";
import { EngineError, failureOf } from "./failure.ts";
import { type Methods, methods } from "./methods.ts";
import type { TokenQuestion, Told, ToPage, ToWorker } from "./protocol.ts";
import { askThePage } from "./service.ts";

export interface Run {
  signal: AbortSignal;
  tell(told: Told): void;
}

const running = new Map<number, AbortController>();
const asked = new Map<number, { resolve(token: Token): void; reject(error: unknown): void }>();
let questions = 0;

// The lib of workers can't be had beside that of pages: of `self` only this is used.
const say = (message: ToPage): void => (self as unknown as { postMessage(message: ToPage): void }).postMessage(message);

askThePage(
  (question: TokenQuestion) =>
    new Promise<Token>((resolve, reject) => {
      questions += 1;
      asked.set(questions, { resolve, reject });
      say({ type: "token", id: questions, question });
    }),
);

self.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "call") void run(data.id, data.name, data.argument);
  else if (data.type === "stop") running.get(data.id)?.abort();
  else {
    const waiting = asked.get(data.id);
    asked.delete(data.id);
    if (data.token !== undefined) waiting?.resolve(data.token);
    else waiting?.reject(new EngineError(data.failure ?? { code: "", message: "no token" }));
  }
});

async function run(id: number, name: string, argument: unknown): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const method = methods[name as keyof Methods] as (argument: unknown, run: Run) => Promise<unknown>;
    const value = await method(argument, {
      signal: controller.signal,
      tell: (told) => say({ type: "told", id, told }),
    });
    say({ type: "done", id, value });
  } catch (error) {
    say({ type: "failed", id, failure: failureOf(error) });
  } finally {
    running.delete(id);
  }
}
