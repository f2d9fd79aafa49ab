/** Entry for pages, workers and bundlers: the module is fetched from beside this file. */
import { loader } from "../init.js";

loader.register({ source: () => new URL("../core.wasm", import.meta.url) });

export * from "../index.js";
