/** Entry for Node, Deno and Bun: the modules are the files beside this one. */
import { loader } from "../init.js";
import { workbooks } from "../workbooks.js";
import { fileLoader } from "./files.js";

loader.register(fileLoader("../core.wasm", "../worker/node.js"));
workbooks.register(fileLoader("../excel.wasm"));

export * from "../index.js";
