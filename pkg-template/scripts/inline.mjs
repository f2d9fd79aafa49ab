// Writes a WebAssembly module as a JavaScript module that exports it in base64: node inline.mjs <module.wasm> <out.js>
import { readFileSync, writeFileSync } from "node:fs";

const [from, to] = process.argv.slice(2);
if (!from || !to) throw new Error("usage: inline.mjs <module.wasm> <out.js>");
writeFileSync(to, `export default "${readFileSync(from).toString("base64")}";\n`);
