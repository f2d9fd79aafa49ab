/** Entry for pages, workers and bundlers: the modules are fetched from beside this file. */
import { loader } from "../init-package.js";
import { workbooks } from "../workbooks.js";
import { ofWeb } from "../worker/host.js";

loader.register({
  source: () => new URL("../package.wasm", import.meta.url),
  startWorker: () => ofWeb(new Worker(new URL("../worker/web-package.js", import.meta.url), { type: "module" })),
});
workbooks.register({ source: () => new URL("../excel.wasm", import.meta.url) });

export * from "../index-package.js";
