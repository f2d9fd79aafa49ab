/** The module for packages alone, and the two functions that load it ahead. */
import * as glue from "./glue-package.js";
import { Loader, type WasmSource } from "./loader.js";
import type { WirePackages } from "./wire.js";
import { workbooks } from "./workbooks.js";

/** The loader of the entry for packages in this copy of the package. */
export const loader: Loader<WirePackages> = new Loader<WirePackages>(glue, "package.wasm");

/**
 * Loads `package.wasm` ahead of its first use; otherwise as `init` of the main entry.
 *
 * @throws {ClmError} WASM_LOAD_FAILED, WASM_BLOCKED
 */
export async function init(source?: WasmSource, more: { excel?: WasmSource } = {}): Promise<void> {
  if (more.excel !== undefined) workbooks.from(more.excel);
  await loader.ready(source);
}

/**
 * Loads `package.wasm` from bytes or a compiled module at hand; otherwise as `initSync` of the main entry.
 *
 * @throws {ClmError} WASM_LOAD_FAILED, WASM_BLOCKED
 */
export function initSync(
  module: WebAssembly.Module | BufferSource,
  more: { excel?: WebAssembly.Module | BufferSource } = {},
): void {
  if (more.excel !== undefined) workbooks.from(more.excel);
  loader.loadSync(module);
}
