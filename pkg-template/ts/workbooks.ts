/** The module for workbooks, loaded when one is met. Both other modules share it. */
import * as glue from "./glue-excel.js";
import { Loader } from "./loader.js";
import type { WireWorkbooks } from "./wire.js";

export const workbooks: Loader<WireWorkbooks> = new Loader<WireWorkbooks>(glue, "excel.wasm");
