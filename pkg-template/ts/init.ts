/**
 * Loads the WebAssembly module: lazily, once for everybody, again after a failure, and anew after a panic. Nothing here runs
 * when the package is imported; the entries only say where the module is.
 */
import { ClmError, fromWire, isClmError } from "./errors.js";
import * as glue from "./glue.js";
import { version } from "./version.js";
import type { Wire } from "./wire.js";

/** Where the WebAssembly module comes from. A string is a URL; in Node also a path. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | Promise<Response> | URL | string;

/** What an entry knows of its host. */
export interface HostLoader {
  /** Called at the first use, never at import. */
  source(): WasmSource;
  /** Reads `file:` URLs and paths, where the host has files. */
  readFile?(path: URL | string): Promise<BufferSource>;
}

/** The glue, with what only the loader uses. */
export type LoadableWire = Wire & {
  /** Makes a fresh instance; there where the glue was generated so. */
  readonly __wbg_reset_state?: (() => void) | undefined;
  /** The callback gets the place of a panic in the source, before the trap reaches JavaScript. */
  readonly onPanic?: ((callback: (place: string) => void) => void) | undefined;
};

const CURE =
  "Vite in development: set optimizeDeps: { exclude: ['d365-clm'] }. esbuild, Rollup: copy dist/core.wasm of the package " +
  "beside your files. Anywhere: serve that file yourself and call `await init(url)` before anything else.";
const CURE_CSP =
  "Allow WebAssembly: add 'wasm-unsafe-eval' to script-src of the Content-Security-Policy; in an extension's manifest: " +
  `"content_security_policy": { "extension_pages": "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'" }.`;
const CURE_PANIC =
  "This is a bug of d365-clm: please report it with the stack of `cause`. Objects made before are gone; new calls start afresh.";

/** The one way to the module. A class, so that tests can load stand-ins. */
export class Loader {
  readonly #wire: LoadableWire;
  #host: HostLoader | undefined;
  #state: "empty" | "ready" | "dead" = "empty";
  #loading: Promise<void> | undefined;
  #life = new AbortController();
  #panic: ClmError | undefined;
  #place = "";

  constructor(wire: LoadableWire, host?: HostLoader) {
    this.#wire = wire;
    this.#host = host;
  }

  register(host: HostLoader): void {
    this.#host = host;
  }

  /** Fires when this instance of the module dies; another instance has another signal. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  /** The module, loaded where needed. */
  async ready(source?: WasmSource): Promise<Wire> {
    if (this.#state === "empty") {
      this.#loading ??= this.#load(source).finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
    return this.current();
  }

  loadSync(module: WebAssembly.Module | BufferSource): void {
    if (this.#state !== "empty") return;
    try {
      if (isBytes(module)) checkMagic(bytesOf(module), "the bytes given to initSync");
      this.#wire.initSync({ module });
      this.#checkVersion();
    } catch (e) {
      throw loadError(e, "the module given to initSync");
    }
    this.#begin();
  }

  /** The module that was loaded before, with a fresh instance where the last one died. */
  current(): Wire {
    if (this.#state === "dead") this.#revive();
    if (this.#state === "empty") {
      throw new ClmError("NOT_INITIALIZED", "the module is not loaded yet", { hint: "Call `await init()` first." });
    }
    return this.#wire;
  }

  /**
   * What a call into the module threw, as the error to throw on. A trap (`WebAssembly.RuntimeError`) leaves the instance in an
   * unknown state: it is given up, with everything under way in it.
   */
  failure(e: unknown, signal?: AbortSignal): unknown {
    if (e instanceof WebAssembly.RuntimeError) return this.#die("", e);
    const error = fromWire(e, signal);
    if (isClmError(error)) return error;
    return new ClmError("INTERNAL_PANIC", "the module failed in an unexpected way", { cause: e, hint: CURE_PANIC });
  }

  #die(place: string, cause: unknown): ClmError {
    const where = place || this.#place;
    const message = `the module ran into a bug${where ? ` (${where})` : ""} and was stopped`;
    const error = new ClmError("INTERNAL_PANIC", message, { cause, hint: CURE_PANIC });
    if (this.#state !== "dead") {
      this.#state = "dead";
      this.#place = place;
      this.#panic = error;
      this.#life.abort(error);
    }
    return error;
  }

  #begin(): void {
    this.#wire.onPanic?.((place) => this.#die(place, undefined));
    this.#life = new AbortController();
    this.#place = "";
    this.#state = "ready";
  }

  #revive(): void {
    const reset = this.#wire.__wbg_reset_state;
    if (!reset) throw this.#panic;
    reset();
    this.#begin();
  }

  async #load(source: WasmSource | undefined): Promise<void> {
    let where = "the module";
    try {
      if (source === undefined && !this.#host) {
        throw new ClmError("NOT_INITIALIZED", "nobody said where the WebAssembly module is", {
          hint: "Import from d365-clm itself, or call `await init(source)` first.",
        });
      }
      const given = await (source ?? (this.#host as HostLoader).source());
      where = placeOf(given);
      const module = await this.#compile(given, where);
      await this.#wire.default({ module_or_path: module });
      this.#checkVersion();
    } catch (e) {
      throw loadError(e, where);
    }
    if (this.#state === "empty") this.#begin();
  }

  async #compile(source: Awaited<WasmSource>, where: string): Promise<WebAssembly.Module> {
    if (isModule(source)) return source as WebAssembly.Module;
    if (isBytes(source)) return compileBytes(bytesOf(source), where);
    if (typeof source === "string" || source instanceof URL) {
      const readFile = this.#host?.readFile;
      if (readFile && isFile(source)) return compileBytes(bytesOf(await readFile(source)), where);
      return compileResponse(await fetch(source), where);
    }
    if (isResponse(source)) return compileResponse(source, where);
    throw new ClmError("INVALID_ARGUMENT", "init() takes a module, bytes, a Response, a URL or a path");
  }

  #checkVersion(): void {
    const found = this.#wire.version();
    if (found === version) return;
    throw new ClmError("WASM_LOAD_FAILED", `core.wasm is of version ${found}, the JavaScript beside it of ${version}`, {
      hint: "An old copy of core.wasm is served or cached: take both from the same package.",
    });
  }
}

/** The loader of this copy of the package. */
export const loader: Loader = new Loader(glue);

/**
 * Loads the module ahead of its first use. Every asynchronous function calls it by itself, so a host needs it only to say where
 * the module is, or to pay for loading early. May be called any number of times and at the same time; once loaded, further calls
 * do nothing, whatever they are given. After a failure the next call tries again.
 *
 * @throws {ClmError} WASM_LOAD_FAILED where the module can't be fetched or is none; WASM_BLOCKED where the host's security policy
 * forbids WebAssembly.
 * @example
 * await init("/assets/core.wasm");
 */
export async function init(source?: WasmSource): Promise<void> {
  await loader.ready(source);
}

/**
 * Loads the module from bytes or a compiled module at hand; does nothing where it is loaded already. Browsers refuse to compile
 * large modules this way on their main thread.
 *
 * @throws {ClmError} WASM_LOAD_FAILED, WASM_BLOCKED
 */
export function initSync(module: WebAssembly.Module | BufferSource): void {
  loader.loadSync(module);
}

async function compileResponse(response: Response, where: string): Promise<WebAssembly.Module> {
  if (!response.ok) {
    throw new ClmError("WASM_LOAD_FAILED", `${where} answered ${response.status}`, {
      status: response.status,
      hint: CURE,
    });
  }
  const isWasm = response.headers.get("content-type")?.startsWith("application/wasm");
  if (isWasm && typeof WebAssembly.compileStreaming === "function") return WebAssembly.compileStreaming(response);
  return compileBytes(new Uint8Array(await response.arrayBuffer()), where);
}

async function compileBytes(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<WebAssembly.Module> {
  checkMagic(bytes, where);
  return WebAssembly.compile(bytes);
}

function checkMagic(bytes: Uint8Array, where: string): void {
  const magic = [0x00, 0x61, 0x73, 0x6d];
  if (magic.every((byte, i) => bytes[i] === byte)) return;
  const head = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
  const what =
    bytes.length === 0 ? "is empty" : head.startsWith("<") ? "is an HTML page, not the module" : "is no WebAssembly";
  throw new ClmError("WASM_LOAD_FAILED", `${where} ${what}`, { hint: CURE });
}

function loadError(e: unknown, where: string): ClmError {
  if (isClmError(e)) return e;
  const text = e instanceof Error ? e.message : String(e);
  if (/content security policy|\bcsp\b|unsafe-eval|disallowed by embedder/i.test(text)) {
    return new ClmError("WASM_BLOCKED", "the host's security policy forbids WebAssembly", { cause: e, hint: CURE_CSP });
  }
  return new ClmError("WASM_LOAD_FAILED", `${where} could not be loaded`, { cause: e, hint: CURE });
}

/** Without the query: it may hold a signature. */
function placeOf(source: Awaited<WasmSource>): string {
  const url = source instanceof URL ? source.href : typeof source === "string" ? source : (source as Response).url;
  return url?.replace(/[?#].*$/s, "") || "the module";
}

function isFile(source: URL | string): boolean {
  const text = String(source);
  return text.startsWith("file:") || (typeof source === "string" && !/^(https?|data|blob):/i.test(text));
}

function isModule(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/** By shape: `instanceof` fails for another realm's. */
function isResponse(value: unknown): value is Response {
  return typeof (value as Partial<Response> | null)?.arrayBuffer === "function";
}

function isBytes(value: unknown): value is BufferSource {
  return ArrayBuffer.isView(value) || Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

function bytesOf(source: BufferSource): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}
