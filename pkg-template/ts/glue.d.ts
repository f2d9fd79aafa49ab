// Stands for the generated glue of core.wasm, which `cargo xtask build` puts beside the compiled files.
import type { Wire } from "./wire.js";

declare const init: Wire["default"];
export default init;
export declare const initSync: Wire["initSync"];
export declare const version: Wire["version"];
export declare const wasmMemory: Wire["wasmMemory"];
export declare const PackageWriter: Wire["PackageWriter"];
export declare const PackageOpener: Wire["PackageOpener"];
export declare const deflateBlock: Wire["deflateBlock"];
export declare const Client: Wire["Client"];
export declare const choosePattern: Wire["choosePattern"];
export declare const shapeRequest: Wire["shapeRequest"];
export declare const readAnswer: Wire["readAnswer"];
export declare const MetadataReader: Wire["MetadataReader"];
export declare const schemaDrift: Wire["schemaDrift"];
export declare const schemaTypes: Wire["schemaTypes"];
export declare const onPanic: Wire["onPanic"];
export declare const __wbg_reset_state: Wire["__wbg_reset_state"];
