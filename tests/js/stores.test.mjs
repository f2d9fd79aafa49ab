// Every store keeps the same promises: durable when it resolves, refused where somebody else was first, whatever dies.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { blobStore, isClmError, memoryStore } from "d365-clm";
import { fileStore } from "d365-clm/node";
import { azuriteMissing, startAzurite } from "./azurite.mjs";

const CONFLICT = (e) => isClmError(e) && e.code === "CHECKPOINT_CONFLICT";
const KEYS = [
  "a",
  "A",
  "job/7",
  "sync/Über/x y.json",
  "..",
  "a/../b",
  "ключ".repeat(100),
  "%41",
  "con",
  "a.1",
  "a*?<>|",
];

function promises(name, make, skip = false) {
  describe(name, { skip }, () => {
    let store;
    let end;
    before(async () => {
      ({ store, end } = await make());
    });
    after(() => end?.());

    test("what was kept is found, under any key, and under no other", async () => {
      for (const key of KEYS) assert.equal(await store.load(key), undefined, key);
      for (const key of KEYS) await store.save(key, `value of ${key}\n"ü"`);
      for (const key of KEYS) assert.equal((await store.load(key)).value, `value of ${key}\n"ü"`);
      for (const key of KEYS) await store.delete(key);
      for (const key of KEYS) assert.equal(await store.load(key), undefined, key);
    });

    test("only the known version is replaced or deleted", async () => {
      const first = await store.save("v", "1");
      await assert.rejects(store.save("v", "x"), CONFLICT, "nothing must be there");
      const second = await store.save("v", "2", first);
      assert.notEqual(second, first);
      await assert.rejects(store.save("v", "x", first), CONFLICT, "an old version");
      await assert.rejects(store.delete("v", first), CONFLICT, "an old version");
      assert.deepEqual(await store.load("v"), { value: "2", version: second });
      await store.delete("v", second);
      await store.delete("v", second);
      await assert.rejects(store.save("v", "x", second), CONFLICT, "it is gone");
      const third = await store.save("v", "2");
      assert.notEqual(third, second, "no version comes twice, so that a late writer is refused");
      await assert.rejects(store.save("v", "x", second), CONFLICT);
      await store.delete("v");
    });

    test("of many writers at once exactly one wins, each time", async () => {
      let version;
      for (let round = 0; round < 5; round++) {
        const tries = Array.from({ length: 8 }, (_, who) => store.save("race", `${round}/${who}`, version));
        const outcomes = await Promise.allSettled(tries);
        const won = outcomes.flatMap((outcome, who) => (outcome.status === "fulfilled" ? [who] : []));
        assert.equal(won.length, 1, `writers that won: ${won}`);
        for (const outcome of outcomes)
          if (outcome.status === "rejected") assert.ok(CONFLICT(outcome.reason), outcome.reason);
        const now = await store.load("race");
        assert.equal(now.value, `${round}/${won[0]}`);
        version = now.version;
      }
    });

    test("a key that is none is refused", async () => {
      for (const key of ["", "a\nb", "k".repeat(513), 7, undefined]) {
        await assert.rejects(
          async () => store.load(key),
          (e) => e.code === "INVALID_ARGUMENT",
        );
        await assert.rejects(
          async () => store.save(key, ""),
          (e) => e.code === "INVALID_ARGUMENT",
        );
      }
    });
  });
}

promises("memoryStore", async () => ({ store: memoryStore() }));

promises("fileStore", async () => {
  const folder = await mkdtemp(join(tmpdir(), "d365-clm-store-"));
  return { store: fileStore(join(folder, "deep/er")), end: () => rm(folder, { recursive: true, force: true }) };
});

promises(
  "blobStore",
  async () => {
    const azurite = await startAzurite();
    return { store: blobStore(await azurite.container("checkpoints")), end: () => azurite.stop() };
  },
  azuriteMissing(),
);

describe("fileStore", () => {
  let folder;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "d365-clm-store-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("a process that is killed while it writes leaves the old value or the new one, whole", async () => {
    const store = fileStore(folder);
    await store.save("k", JSON.stringify({ n: 0, pad: "" }));
    const script = `
      import { fileStore } from "d365-clm/node";
      const store = fileStore(process.argv[1]);
      let { value, version } = await store.load("k");
      let { n } = JSON.parse(value);
      while (true) {
        n += 1;
        version = await store.save("k", JSON.stringify({ n, pad: "x".repeat(200_000) }), version);
        process.stdout.write(n + "\\n");
      }`;
    let told = 0;
    for (let round = 0; round < 8; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder], {
        cwd: new URL(".", import.meta.url),
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = new Promise((resolve) => child.once("exit", resolve));
      let seen = 0;
      child.stdout.on("data", (data) => {
        for (const line of String(data).trim().split("\n")) told = Math.max(told, Number(line));
        seen += 1;
        if (seen === 3 + round) child.kill("SIGKILL");
      });
      await exited;
      const { n, pad } = JSON.parse((await store.load("k")).value);
      assert.ok(n >= told, `version ${told} was told to be durable, ${n} is there`);
      assert.equal(pad.length, 200_000);
      told = n;
    }
  });

  test("leftovers and foreign files are no values, and are cleared away", async () => {
    const store = fileStore(folder);
    await writeFile(join(folder, "x.notanumber"), "+foreign");
    await writeFile(join(folder, ".123.tmp"), "+half");
    assert.equal(await store.load("x"), undefined);
    let version;
    for (const value of ["1", "2", "3"]) version = await store.save("x", value, version);
    const files = (await readdir(folder)).filter((file) => file.startsWith("x.") && file !== "x.notanumber");
    assert.deepEqual(files, ["x.3"]);
  });

  test("a folder that can't be made is an error that names the cause", async () => {
    const store = fileStore(join(folder, "x.3", "below a file"));
    await assert.rejects(store.load("k"), (e) => e.code === "NETWORK" && e.cause.code === "ENOTDIR");
  });
});

describe("blobStore", () => {
  const URL_ = "https://account.blob.core.windows.net/c?sv=1&sig=SECRET";
  const answer = (status, headers = {}, body = null) => new Response(body, { status, headers });

  test("a save whose answer was lost is not taken for somebody else's", async () => {
    let etag = '"1"';
    let value = "old";
    let lost = 0;
    const fetch = async (_, init) => {
      if (init.method === "GET") return answer(200, { etag }, value);
      if (init.headers["if-match"] !== etag) return answer(412);
      [etag, value] = ['"2"', init.body];
      lost += 1;
      throw new Error("connection reset");
    };
    assert.equal(await blobStore(URL_, { fetch }).save("k", "new", '"1"'), '"2"');
    assert.equal(lost, 1, "it was sent once");
  });

  test("a save that never arrived is sent again, one that somebody else overtook is a conflict", async () => {
    let puts = 0;
    const flaky = async (_, init) => {
      if (init.method === "GET") return answer(200, { etag: '"1"' }, "old");
      puts += 1;
      return puts === 1 ? answer(503) : answer(201, { etag: '"2"' });
    };
    assert.equal(await blobStore(URL_, { fetch: flaky }).save("k", "new", '"1"'), '"2"');
    assert.equal(puts, 2);
    const overtaken = async (_, init) => {
      if (init.method === "GET") return answer(200, { etag: '"9"' }, "theirs");
      throw new Error("connection reset");
    };
    await assert.rejects(blobStore(URL_, { fetch: overtaken }).save("k", "new", '"1"'), CONFLICT);
  });

  test("its failures name no signature", async () => {
    const shown = (e) => `${e.message} ${e.hint} ${JSON.stringify(e)}`;
    for (const [status, code] of [
      [403, "FORBIDDEN"],
      [400, "NETWORK"],
      [302, "NETWORK"],
    ]) {
      const store = blobStore(URL_, { fetch: async () => answer(status) });
      await assert.rejects(store.load("k"), (e) => e.code === code && !shown(e).includes("SECRET"));
    }
    const missing = async () => answer(404, { "x-ms-error-code": "ContainerNotFound" });
    await assert.rejects(blobStore(URL_, { fetch: missing }).load("k"), (e) => e.code === "NOT_FOUND");
    await assert.rejects(blobStore(URL_, { fetch: missing }).save("k", ""), (e) => e.code === "NOT_FOUND");
    for (const url of ["ftp://h/c", "http://contoso/c", "https://h/", "https://u:p@h/c", "nonsense", undefined]) {
      assert.throws(
        () => blobStore(url),
        (e) => e.code === "INVALID_ARGUMENT",
      );
    }
  });
});
