// Stands for the generated glue of package.wasm, which `cargo xtask build` puts beside the compiled files.
import type { WirePackages } from "./wire.js";

declare const init: WirePackages["default"];
export default init;
export declare const initSync: WirePackages["initSync"];
export declare const version: WirePackages["version"];
export declare const wasmMemory: WirePackages["wasmMemory"];
export declare const PackageWriter: WirePackages["PackageWriter"];
export declare const PackageOpener: WirePackages["PackageOpener"];
export declare const deflateBlock: WirePackages["deflateBlock"];
export declare const onPanic: WirePackages["onPanic"];
export declare const __wbg_reset_state: WirePackages["__wbg_reset_state"];
