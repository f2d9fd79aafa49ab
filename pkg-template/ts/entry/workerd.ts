/** Entry for Cloudflare Workers and their kin: they compile modules only when they are imported. No threads there. */
import module from "../core.wasm";
import excel from "../excel.wasm";
import { loader } from "../init.js";
import { workbooks } from "../workbooks.js";

loader.register({ source: () => module });
workbooks.register({ source: () => excel });

export * from "../index.js";
