// The loader with stand-ins for the module, and with the real one.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { buildPackage, init, initSync, isClmError, version } from "d365-clm";
import { Handle } from "../../pkg/dist/handle.js";
import { loader } from "../../pkg/dist/init.js";
import { Loader as AnyLoader } from "../../pkg/dist/loader.js";

const WASM = new URL("../../pkg/dist/core.wasm", import.meta.url);
/** The smallest module there is. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

class Loader extends AnyLoader {
  constructor(wire, host) {
    super(wire, "core.wasm", host);
  }
}

function fake(more = {}) {
  const calls = [];
  return {
    calls,
    default: async ({ module_or_path }) => calls.push(module_or_path),
    initSync: ({ module }) => calls.push(module),
    version: () => version,
    ...more,
  };
}

async function serve(handler) {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, stop: () => new Promise((resolve) => server.close(resolve)) };
}

test("importing the package reads, fetches and compiles nothing", () => {
  const script = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const no = () => { throw new Error("touched") };
    // Node itself reads the JavaScript by these functions.
    for (const owner of [[fs, "readFileSync"], [fs.promises, "readFile"]]) {
      const [object, name] = owner;
      const real = object[name];
      object[name] = (path, ...more) => (String(path).endsWith(".wasm") ? no() : real(path, ...more));
    }
    syncBuiltinESMExports();
    globalThis.fetch = no; WebAssembly.compile = no; WebAssembly.instantiate = no; WebAssembly.Module = no;
    const { f, ScmClient } = await import("d365-clm");
    new ScmClient({ baseUrl: "https://c.example" }).dispose();
    console.log(String(f.eq("A", 1)));
  `;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: new URL(".", import.meta.url),
    encoding: "utf8",
  });
  assert.equal(child.stdout, "A eq 1\n", child.stderr);
});

test("shipped code has nothing that service workers and extension stores refuse", () => {
  const dist = new URL("../../pkg/dist/", import.meta.url);
  const files = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".js"));
  assert.ok(
    ["glue.js", "glue-package.js", "glue-excel.js", join("entry", "browser.js")].every((f) => files.includes(f)),
  );
  for (const name of files) {
    const code = readFileSync(new URL(name, dist), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    for (const refused of [
      /\bimport\s*\(/,
      /^(await|for await)\b/m,
      /XMLHttpRequest/,
      /\beval\s*\(/,
      /new Function\b/,
    ]) {
      assert.doesNotMatch(code, refused, name);
    }
  }
  const withFiles = [join("entry", "files.js"), join("stores", "file.js")];
  const ofNode = (name) => /node/.test(name) || name.startsWith("cli") || withFiles.includes(name);
  for (const name of files.filter((name) => !ofNode(name))) {
    assert.doesNotMatch(readFileSync(new URL(name, dist), "utf8"), /from "node:/, name);
  }
});

test("simultaneous calls load once; later calls do nothing", async () => {
  let sources = 0;
  const wire = fake();
  const own = new Loader(wire, {
    source: () => {
      sources += 1;
      return EMPTY;
    },
  });
  await Promise.all([own.ready(), own.ready(), own.ready()]);
  await own.ready("http://127.0.0.1:1/never-asked.wasm");
  own.loadSync(Uint8Array.of(1));
  assert.equal(sources, 1);
  assert.equal(wire.calls.length, 1);
});

test("after a failure the next call tries again", async () => {
  const answers = [new Response("gone", { status: 503 }), new Response(EMPTY)];
  const own = new Loader(fake(), { source: () => answers.shift() });
  await assert.rejects(own.ready(), { code: "WASM_LOAD_FAILED", status: 503 });
  await own.ready();
});

test("without a source, and before loading, it says so", async () => {
  await assert.rejects(new Loader(fake()).ready(), { code: "NOT_INITIALIZED" });
  assert.throws(() => new Loader(fake()).current(), { code: "NOT_INITIALIZED" });
});

test("all shapes of a source are taken", async () => {
  const server = await serve((_, response) =>
    response.writeHead(200, { "content-type": "application/wasm" }).end(EMPTY),
  );
  try {
    for (const source of [
      EMPTY,
      EMPTY.buffer,
      new WebAssembly.Module(EMPTY),
      new Response(EMPTY),
      Promise.resolve(new Response(EMPTY, { headers: { "content-type": "application/wasm" } })),
      server.url,
      new URL(server.url),
    ]) {
      const wire = fake();
      await new Loader(wire).ready(source);
      assert.ok(wire.calls[0] instanceof WebAssembly.Module);
    }
    await assert.rejects(new Loader(fake()).ready(5), { code: "INVALID_ARGUMENT" });
  } finally {
    await server.stop();
  }
});

test("a page, a 404 and other bytes in place of the module are told, with a cure", async () => {
  const answers = {
    "/html": [200, "text/html", "\n <!DOCTYPE html><title>fallback</title>"],
    "/missing": [404, "text/plain", "no"],
    "/text": [200, "application/octet-stream", "hello"],
    "/empty": [200, "application/octet-stream", ""],
    "/typed": [200, "application/wasm", "<html>"],
  };
  const server = await serve(({ url }, response) => {
    const [status, type, body] = answers[url.split("?")[0]];
    response.writeHead(status, { "content-type": type }).end(body);
  });
  const failure = async (path) => {
    const error = await new Loader(fake()).ready(`${server.url}${path}?sig=s3cret`).catch((e) => e);
    assert.equal(error.code, "WASM_LOAD_FAILED", path);
    assert.match(error.hint, /optimizeDeps/);
    assert.doesNotMatch(`${JSON.stringify(error)}`, /s3cret/);
    return error.message;
  };
  try {
    assert.match(await failure("/html"), /\/html is an HTML page, not the module/);
    assert.match(await failure("/missing"), /answered 404/);
    assert.match(await failure("/text"), /is no WebAssembly/);
    assert.match(await failure("/empty"), /is empty/);
    await failure("/typed");
  } finally {
    await server.stop();
  }
  await assert.rejects(new Loader(fake()).ready(`${server.url}/gone`), { code: "WASM_LOAD_FAILED" });
});

test("a security policy against WebAssembly is told from a bad module", async () => {
  const words = [
    "WebAssembly.instantiate(): Refused to compile or instantiate WebAssembly module because 'unsafe-eval' is not an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\"",
    "call to WebAssembly.instantiate() blocked by CSP",
    "Wasm code generation disallowed by embedder",
  ];
  for (const text of words) {
    const blocked = () => Promise.reject(new WebAssembly.CompileError(text));
    const error = await new Loader(fake({ default: blocked })).ready(EMPTY).catch((e) => e);
    assert.equal(error.code, "WASM_BLOCKED");
    assert.match(error.hint, /wasm-unsafe-eval/);
    assert.equal(error.cause.message, text);
  }
});

test("a module of another version is refused", async () => {
  const old = fake({ version: () => "0.0.9" });
  await assert.rejects(new Loader(old).ready(EMPTY), (e) => e.code === "WASM_LOAD_FAILED" && /0\.0\.9/.test(e.message));
  assert.throws(() => new Loader(old).loadSync(EMPTY), { code: "WASM_LOAD_FAILED" });
});

test("a trap gives up the instance: what is under way ends, old objects are refused, the next call starts afresh", async () => {
  let resets = 0;
  let panicked;
  const wire = fake({
    __wbg_reset_state: () => {
      resets += 1;
    },
    onPanic: (callback) => {
      panicked = callback;
    },
  });
  const own = new Loader(wire);
  await own.ready(EMPTY);
  let freed = 0;
  const object = {
    free: () => {
      freed += 1;
    },
  };
  const handle = new Handle(own, "the thing", () => object);
  const waiting = handle.useAsync(undefined, () => new Promise(() => {}));
  const trap = () => {
    panicked("dmf/run.rs:7");
    throw new WebAssembly.RuntimeError("unreachable");
  };
  assert.throws(
    () => handle.use(trap),
    (e) => {
      assert.equal(e.code, "INTERNAL_PANIC");
      assert.match(e.message, /dmf\/run\.rs:7/);
      assert.ok(e.cause instanceof WebAssembly.RuntimeError);
      return true;
    },
  );
  await assert.rejects(waiting, { code: "INTERNAL_PANIC" });
  assert.throws(
    () => handle.use(() => 1),
    (e) => e.code === "DISPOSED" && e.cause.code === "INTERNAL_PANIC",
  );
  handle.dispose();
  assert.equal(freed, 0, "an object of a dead instance must not be freed in a new one");

  await own.ready();
  assert.equal(resets, 1);
  assert.equal(
    new Handle(own, "the thing", () => object).use(() => 1),
    1,
  );
});

test("an instance that can't be replaced stays dead", async () => {
  const own = new Loader(fake());
  await own.ready(EMPTY);
  own.failure(new WebAssembly.RuntimeError("unreachable"));
  await assert.rejects(own.ready(), { code: "INTERNAL_PANIC" });
});

test("a handle is freed once, and not under a call", async () => {
  const own = new Loader(fake());
  await own.ready(EMPTY);
  let freed = 0;
  let finish;
  const handle = new Handle(own, "the thing", () => ({
    free: () => {
      freed += 1;
    },
  }));
  const call = handle.useAsync(undefined, (_, signal) => {
    return new Promise((resolve) => {
      finish = () => resolve(signal.reason.code);
    });
  });
  handle.dispose();
  handle.dispose();
  assert.equal(freed, 0);
  finish();
  assert.equal(await call, "DISPOSED");
  assert.equal(freed, 1);
  assert.throws(() => handle.use(() => 1), { code: "DISPOSED" });
});

test("the real module traps, is replaced, and works again", async () => {
  const wire = await loader.ready();
  const broken = new Handle(loader, "the reader", () =>
    Object.create(wire.PackageReader.prototype, {
      __wbg_ptr: { value: 0xfffffff0, writable: true },
    }),
  );
  assert.throws(() => broken.use((reader) => reader.describe()), { code: "INTERNAL_PANIC" });
  const spec = { name: "P", entities: [{ entity: "Currencies", rows: [{ CurrencyCode: "EUR" }] }] };
  const zip = await buildPackage(spec);
  assert.equal(String.fromCharCode(...zip.slice(0, 2)), "PK");
  assert.notEqual(loader.life.aborted, true);
});

test("the real module loads from a path, a file URL and bytes, in processes of their own", () => {
  const run = (load) => {
    const script = `
      import { readFileSync } from "node:fs";
      import { fileURLToPath } from "node:url";
      import { init, initSync, openPackage } from "d365-clm";
      const url = new URL(${JSON.stringify(WASM.href)});
      ${load};
      console.log(await openPackage(new Uint8Array()).catch((e) => e.code));
    `;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: new URL(".", import.meta.url),
      encoding: "utf8",
    });
    return child.stdout.trim() || child.stderr;
  };
  assert.equal(run("await init(url)"), "NOT_A_PACKAGE");
  assert.equal(run("await init(fileURLToPath(url))"), "NOT_A_PACKAGE");
  assert.equal(run("initSync(readFileSync(url))"), "NOT_A_PACKAGE");
  assert.match(
    run("await init('/no/such/core.wasm').catch((e) => console.log(e.code))"),
    /^WASM_LOAD_FAILED\nNOT_A_PACKAGE$/,
  );
});

test("init may be called again at any time", async () => {
  await Promise.all([init(), init(WASM)]);
  await init("/no/such/file");
  initSync(readFileSync(WASM));
});

test("one version in the JavaScript, the module and the package", async () => {
  const { version: published } = JSON.parse(readFileSync(new URL("../../pkg/package.json", import.meta.url), "utf8"));
  assert.equal(version, published);
  assert.equal((await loader.ready()).version(), published);
  assert.equal(isClmError(new Error("x")), false);
});
