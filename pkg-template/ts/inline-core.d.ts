// Stands for core.wasm as base64, which scripts/inline.mjs puts beside the compiled files.
declare const core: string;
export default core;
