// Stands for the generated glue of excel.wasm, which `cargo xtask build` puts beside the compiled files.
import type { WireWorkbooks } from "./wire.js";

declare const init: WireWorkbooks["default"];
export default init;
export declare const initSync: WireWorkbooks["initSync"];
export declare const version: WireWorkbooks["version"];
export declare const wasmMemory: WireWorkbooks["wasmMemory"];
export declare const WorkbookWriter: WireWorkbooks["WorkbookWriter"];
export declare const WorkbookReader: WireWorkbooks["WorkbookReader"];
export declare const onPanic: WireWorkbooks["onPanic"];
export declare const __wbg_reset_state: WireWorkbooks["__wbg_reset_state"];
