/** Entry for Node, Deno and Bun: the modules are the files beside this one. */
import { loader } from "../init-package.js";
import { workbooks } from "../workbooks.js";
import { fileLoader } from "./files.js";

loader.register(fileLoader("../package.wasm", "../worker/node-package.js"));
workbooks.register(fileLoader("../excel.wasm"));

export * from "../index-package.js";
