/** Modules and threads where there are files. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type { HostLoader, HostWorker } from "../loader.js";

/** Paths from this file. */
export function fileLoader(wasm: string, worker?: string): HostLoader {
  return {
    source: () => readFileSync(new URL(wasm, import.meta.url)),
    readFile: (path) => readFile(path),
    ...(worker === undefined ? {} : { startWorker: () => ofNode(new Worker(new URL(worker, import.meta.url))) }),
  };
}

/** A thread that keeps the process alive only while it owes an answer. */
function ofNode(worker: Worker): HostWorker {
  let owed = 0;
  worker.unref();
  return {
    postMessage: (message) => {
      owed += 1;
      worker.ref();
      worker.postMessage(message);
    },
    terminate: () => worker.terminate(),
    onMessage: (call) =>
      worker.on("message", (message) => {
        owed -= 1;
        if (owed === 0) worker.unref();
        call(message);
      }),
    onFailure: (call) => worker.on("error", call).on("exit", call).on("messageerror", call),
  };
}
