/** The module for everything but workbooks, and the two functions that load it ahead. */
import * as glue from "./glue.js";
import { Loader, type WasmSource } from "./loader.js";
import type { Wire } from "./wire.js";
import { workbooks } from "./workbooks.js";

/** The loader of this copy of the package. */
export const loader: Loader<Wire> = new Loader<Wire>(glue, "core.wasm");

/**
 * Loads the module ahead of its first use. Every asynchronous function calls it by itself, so a host needs it only to say where
 * the module is, or to pay for loading early. May be called any number of times and at the same time; once loaded, further calls
 * do nothing, whatever they are given. After a failure the next call tries again.
 *
 * `more.excel` says where `excel.wasm` is; it is loaded when a workbook is met.
 *
 * @throws {ClmError} WASM_LOAD_FAILED where the module can't be fetched or is none; WASM_BLOCKED where the host's security policy
 * forbids WebAssembly.
 * @example
 * await init("/assets/core.wasm", { excel: "/assets/excel.wasm" });
 */
export async function init(source?: WasmSource, more: { excel?: WasmSource } = {}): Promise<void> {
  if (more.excel !== undefined) workbooks.from(more.excel);
  await loader.ready(source);
}

/**
 * Loads the module from bytes or a compiled module at hand; does nothing where it is loaded already. Browsers refuse to compile
 * large modules this way on their main thread. `more.excel` is kept until a workbook is met.
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
