/** A worker of a page as the loader wants it. */
import type { HostWorker } from "../loader.js";

export function ofWeb(worker: Worker): HostWorker {
  return {
    postMessage: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
    onMessage: (call) => worker.addEventListener("message", ({ data }) => call(data)),
    onFailure: (call) => {
      worker.addEventListener("error", call);
      worker.addEventListener("messageerror", call);
    },
  };
}
