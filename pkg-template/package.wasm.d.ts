/** The WebAssembly module for data packages alone, as hosts give it that import modules compiled. */
declare const module: WebAssembly.Module;
export default module;
