/** Entry for Node, Deno and Bun: the module is the file beside this one. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { loader } from "../init.js";

loader.register({
  source: () => readFileSync(new URL("../core.wasm", import.meta.url)),
  readFile: (path) => readFile(path),
});

export * from "../index.js";
