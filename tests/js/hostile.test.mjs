// Broken and hostile packages, made by tests/corpus/make.py: each opens, or is refused with the code that the script names, and
// afterwards the module still works.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPackage } from "d365-clm";
import { packageOf } from "./zip.mjs";

const script = fileURLToPath(new URL("../corpus/make.py", import.meta.url));
const missing = spawnSync("python3", ["--version"]).error !== undefined && process.env.CI !== "true";

/** When it was refused and with which code. */
const outcome = async (bytes) => {
  let when = "open";
  try {
    const opened = await openPackage(bytes);
    when = "read";
    for (const entity of opened.entities) for await (const _ of entity.batches());
    for (const { name } of opened.files) for await (const _ of opened.file(name));
    opened.dispose();
    return { when: "never", code: "" };
  } catch (error) {
    assert.equal(error.name, "ClmError", error.stack);
    assert.ok(error.hint, `${error.code} has no hint`);
    return { when, code: error.code };
  }
};

test("the corpus of broken packages", { skip: missing && "python3 is missing" }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "d365-clm-corpus-"));
  try {
    const made = spawnSync("python3", [script, folder], { encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
    const cases = JSON.parse(await readFile(join(folder, "cases.json"), "utf8"));
    assert.ok(cases.length > 200);
    const wrong = [];
    for (const { name, file, when, code } of cases) {
      const found = await outcome(new Uint8Array(await readFile(join(folder, file))));
      if (found.when !== when || found.code !== code) wrong.push({ name, when, code, found });
    }
    assert.deepEqual(wrong, []);
  } finally {
    await rm(folder, { recursive: true });
  }
  assert.deepEqual(await outcome(packageOf()), { when: "never", code: "" });
});
