/** The WebAssembly module for workbooks, as hosts give it that import modules compiled. */
declare const module: WebAssembly.Module;
export default module;
