// Stands for the generated glue, which `cargo xtask build` puts beside the compiled files.
import type { LoadableWire } from "./init.js";
import type { Wire } from "./wire.js";

declare const init: Wire["default"];
export default init;
export declare const initSync: Wire["initSync"];
export declare const version: Wire["version"];
export declare const PackageWriter: Wire["PackageWriter"];
export declare const PackageOpener: Wire["PackageOpener"];
export declare const wasmMemory: Wire["wasmMemory"];
export declare const Client: Wire["Client"];
export declare const onPanic: LoadableWire["onPanic"];
export declare const __wbg_reset_state: LoadableWire["__wbg_reset_state"];
