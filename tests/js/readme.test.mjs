// The TypeScript of the two READMEs is what a host copies first, so it must compile against the built package.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LEGAL_ENTITIES, sandboxed, startSandbox } from "./sandbox.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What the examples take as given. */
const GIVEN = `export {};
declare global {
  const baseUrl: string;
  function getToken(request: { scope: string }): Promise<string>;
  function saveSomewhere(checkpoint: object): Promise<void>;
}
`;

test("the examples of the READMEs compile", async () => {
  // Below the checkout, where the package is found by its name.
  const folder = join(ROOT, "node_modules/.cache/d365-clm-readme");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const files = [];
  for (const readme of ["README.md", "pkg-template/README.md"]) {
    const text = await readFile(join(ROOT, readme), "utf8");
    for (const [, code] of text.matchAll(/^```ts\n(.*?)^```/gms)) {
      const file = join(folder, `example-${files.length + 1}.ts`);
      await writeFile(file, code.includes("import ") ? code : `${code}\nexport {};\n`);
      files.push(file);
    }
  }
  assert.ok(files.length >= 2, "each README has an example");
  await writeFile(join(folder, "given.d.ts"), GIVEN);
  const options = ["--noEmit", "--strict", "--target", "ES2022", "--module", "NodeNext", "--skipLibCheck"];
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, ...options, "--types", "node", ...files, join(folder, "given.d.ts")],
    { encoding: "utf8", cwd: ROOT },
  );
  await rm(folder, { recursive: true, force: true });
  assert.equal(status, 0, stdout);
});

sandboxed("the OData section of the README runs as written", async () => {
  const text = await readFile(join(ROOT, "README.md"), "utf8");
  const [, code] = /\n## OData\n.*?```ts\n(.*?)^```/ms.exec(text);
  const sandbox = await startSandbox({
    seed: {
      LegalEntities: LEGAL_ENTITIES,
      Currencies: [
        { CurrencyCode: "EUR", Name: "Euro" },
        { CurrencyCode: "USD", Name: "US Dollar" },
        { CurrencyCode: "CHF", Name: "Swiss franc" },
      ],
    },
  });
  try {
    const folder = join(ROOT, "node_modules/.cache/d365-clm-readme-run");
    await mkdir(folder, { recursive: true });
    const file = join(folder, "odata.mjs");
    const given = { baseUrl: sandbox.baseUrl, token: await sandbox.token() };
    await writeFile(
      file,
      `const { baseUrl, token } = ${JSON.stringify(given)};\nconst getToken = async () => token;\n${code}`,
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8", cwd: ROOT });
    await rm(folder, { recursive: true, force: true });
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trim().split("\n").slice(0, 3), [
      "EUR Euro",
      "true true",
      `${sandbox.baseUrl}/data/Currencies('EUR')`,
    ]);
  } finally {
    await sandbox.stop();
  }
});
