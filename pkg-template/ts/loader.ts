/**
 * Loads a WebAssembly module: lazily, once for everybody, again after a failure, and anew after a panic. Nothing here runs when
 * the package is imported; the entries only say where the modules are.
 */
import { ClmError, fromWire, isClmError } from "./errors.js";
import { version } from "./version.js";
import type { WireModule } from "./wire.js";

/** Where the WebAssembly module comes from. A string is a URL; in Node also a path. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | Promise<Response> | URL | string;

/** What an entry knows of its host. */
export interface HostLoader {
  /** Called at the first use, never at import. */
  source(): WasmSource;
  /** Reads `file:` URLs and paths, where the host has files. */
  readFile?(path: URL | string): Promise<BufferSource>;
  /** A thread that runs `worker/` with the glue of this module, where the host has threads. */
  startWorker?(): HostWorker;
}

/** A thread, as pages and Node have it. */
export interface HostWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
  onMessage(call: (message: unknown) => void): void;
  /** The thread could not start, or died. */
  onFailure(call: () => void): void;
}

const cure = (file: string): string =>
  `Vite in development: set optimizeDeps: { exclude: ['d365-clm'] }. esbuild, Rollup: copy dist/${file} of the package ` +
  "beside your files. Anywhere: serve that file yourself and call " +
  `\`await init(${file === "excel.wasm" ? "undefined, { excel: url }" : "url"})\` before anything else.`;
const CURE_CSP =
  "Allow WebAssembly: add 'wasm-unsafe-eval' to script-src of the Content-Security-Policy; in an extension's manifest: " +
  `"content_security_policy": { "extension_pages": "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'" }.`;
const CURE_PANIC =
  "This is a bug of d365-clm: please report it with the stack of `cause`. Objects made before are gone; new calls start afresh.";

/** The one way to the module. A class, so that tests can load stand-ins. */
export class Loader<W extends WireModule> {
  readonly #wire: W;
  readonly #file: string;
  #host: HostLoader | undefined;
  #module: WebAssembly.Module | undefined;
  #state: "empty" | "ready" | "dead" = "empty";
  #loading: Promise<void> | undefined;
  #life = new AbortController();
  #panic: ClmError | undefined;
  #place = "";

  /** `file` is the module's name in the package, for messages. */
  constructor(wire: W, file: string, host?: HostLoader) {
    this.#wire = wire;
    this.#file = file;
    this.#host = host;
  }

  register(host: HostLoader): void {
    this.#host = host;
  }

  /** Says where the module comes from, without loading it. */
  from(source: WasmSource): void {
    this.#host = { ...this.#host, source: () => source };
  }

  /** The compiled module, once loaded: what a thread makes its own instance of. */
  get module(): WebAssembly.Module | undefined {
    return this.#module;
  }

  /** A new thread, or undefined where there are none. */
  startWorker(): HostWorker | undefined {
    return this.#host?.startWorker?.();
  }

  /** Fires when this instance of the module dies; another instance has another signal. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  /** The module, loaded where needed. */
  async ready(source?: WasmSource): Promise<W> {
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
      if (isBytes(module)) checkMagic(bytesOf(module), "the bytes given to initSync", this.#file);
      const compiled = isModule(module)
        ? (module as WebAssembly.Module)
        : new WebAssembly.Module(bytesOf(module as BufferSource));
      this.#wire.initSync({ module: compiled });
      this.#checkVersion();
      this.#module = compiled;
    } catch (e) {
      throw loadError(e, "the module given to initSync", this.#file);
    }
    this.#begin();
  }

  /** The module that was loaded before, with a fresh instance where the last one died. */
  current(): W {
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
      if (source === undefined && !this.#host?.source) throw missing(this.#file);
      const given = await (source ?? (this.#host as HostLoader).source());
      where = placeOf(given);
      const module = await this.#compile(given, where);
      await this.#wire.default({ module_or_path: module });
      this.#checkVersion();
      this.#module = module;
    } catch (e) {
      throw loadError(e, where, this.#file);
    }
    if (this.#state === "empty") this.#begin();
  }

  async #compile(source: Awaited<WasmSource>, where: string): Promise<WebAssembly.Module> {
    if (isModule(source)) return source as WebAssembly.Module;
    if (isBytes(source)) return compileBytes(bytesOf(source), where, this.#file);
    if (typeof source === "string" || source instanceof URL) {
      const readFile = this.#host?.readFile;
      if (readFile && isFile(source)) return compileBytes(bytesOf(await readFile(source)), where, this.#file);
      return compileResponse(await fetch(source), where, this.#file);
    }
    if (isResponse(source)) return compileResponse(source, where, this.#file);
    throw new ClmError("INVALID_ARGUMENT", "init() takes a module, bytes, a Response, a URL or a path");
  }

  #checkVersion(): void {
    const found = this.#wire.version();
    if (found === version) return;
    throw new ClmError(
      "WASM_LOAD_FAILED",
      `${this.#file} is of version ${found}, the JavaScript beside it of ${version}`,
      {
        hint: `Another copy of ${this.#file} is served or cached: take both from the same package.`,
      },
    );
  }
}

function missing(file: string): ClmError {
  if (file === "excel.wasm") {
    return new ClmError("WASM_LOAD_FAILED", "workbooks need a module of their own, excel.wasm, which nobody gave", {
      hint: "Hand it over before: `await init(module, { excel })` or `initSync(module, { excel })`, with dist/excel.wasm of the package.",
    });
  }
  return new ClmError("NOT_INITIALIZED", "nobody said where the WebAssembly module is", {
    hint: "Import from d365-clm itself, or call `await init(source)` first.",
  });
}

async function compileResponse(response: Response, where: string, file: string): Promise<WebAssembly.Module> {
  if (!response.ok) {
    throw new ClmError("WASM_LOAD_FAILED", `${where} answered ${response.status}`, {
      status: response.status,
      hint: cure(file),
    });
  }
  const isWasm = response.headers.get("content-type")?.startsWith("application/wasm");
  if (isWasm && typeof WebAssembly.compileStreaming === "function") return WebAssembly.compileStreaming(response);
  return compileBytes(new Uint8Array(await response.arrayBuffer()), where, file);
}

async function compileBytes(bytes: Uint8Array<ArrayBuffer>, where: string, file: string): Promise<WebAssembly.Module> {
  checkMagic(bytes, where, file);
  return WebAssembly.compile(bytes);
}

function checkMagic(bytes: Uint8Array, where: string, file: string): void {
  const magic = [0x00, 0x61, 0x73, 0x6d];
  if (magic.every((byte, i) => bytes[i] === byte)) return;
  const head = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
  const what =
    bytes.length === 0 ? "is empty" : head.startsWith("<") ? "is an HTML page, not the module" : "is no WebAssembly";
  throw new ClmError("WASM_LOAD_FAILED", `${where} ${what}`, { hint: cure(file) });
}

function loadError(e: unknown, where: string, file: string): ClmError {
  if (isClmError(e)) return e;
  const text = e instanceof Error ? e.message : String(e);
  if (/content security policy|\bcsp\b|unsafe-eval|disallowed by embedder/i.test(text)) {
    return new ClmError("WASM_BLOCKED", "the host's security policy forbids WebAssembly", { cause: e, hint: CURE_CSP });
  }
  return new ClmError("WASM_LOAD_FAILED", `${where} could not be loaded`, { cause: e, hint: cure(file) });
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
