// Starts a sandbox for a test and stops it. Needs D365_SANDBOX_BIN (the binary) and D365_AZURITE (Azurite's blob main.js).
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

const { D365_SANDBOX_BIN: BIN, D365_AZURITE: AZURITE } = process.env;

/** Why tests with a sandbox can't run, or false: the value of a test's `skip`. With CI=true a missing sandbox is a failure. */
export function sandboxMissing() {
  for (const [name, file] of Object.entries({ D365_SANDBOX_BIN: BIN, D365_AZURITE: AZURITE })) {
    if (file && existsSync(file)) continue;
    const reason = file ? `${name}: there is no ${file}` : `${name} is not set`;
    if (process.env.CI === "true") throw new Error(`${reason}, and CI=true forbids skipping`);
    return reason;
  }
  return false;
}

const skip = sandboxMissing();
/** A test with a sandbox. Each is skipped for itself, so that the counts are honest. */
export const sandboxed = (name, run) => test(name, { skip }, run);

/** The companies of most tests. */
export const LEGAL_ENTITIES = [
  { LegalEntityId: "usmf", Name: "US" },
  { LegalEntityId: "demf", Name: "DE" },
];

/**
 * @param {{ seed?: Record<string, object[]>, settings?: object, seedFolder?: string, args?: string[] }} options
 */
export async function startSandbox({ seed = {}, settings, seedFolder, args = [] } = {}) {
  const folder = seedFolder ?? (await mkdtemp(join(tmpdir(), "d365-clm-seed-")));
  if (!seedFolder) await writeSeed(folder, seed, settings);
  const child = spawn(
    BIN,
    ["serve", "--port", "0", "--exit-with-stdin", "--seed", folder, "--azurite", AZURITE, "--step-ms", "20", ...args],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  let log = "";
  child.stderr.on("data", (data) => {
    log = (log + data).slice(-100_000);
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  // A sandbox that ended early must not fail the test by a broken pipe, but by its message.
  child.stdin.on("error", () => {});
  const ready = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line)));
    child.once("error", reject);
    exited.then((code) => reject(new Error(`the sandbox ended with code ${code} before it was ready:\n${log}`)));
  });
  const about = await ready;
  return {
    ...about,
    /** What it wrote to stderr so far. */
    log: () => log,
    /** A path of the control surface, as JSON. */
    async control(path, init = {}) {
      const response = await fetch(`${about.controlUrl}/${path}`, {
        ...init,
        headers: { ...init.headers, "x-sandbox-key": about.controlKey },
      });
      if (!response.ok) throw new Error(`${path} of the sandbox answered ${response.status}: ${await response.text()}`);
      return response.json();
    },
    /** A bearer token of an application. */
    token: (which = "registered") => tokenOf(about, which),
    async stop() {
      child.stdin.end();
      await exited;
      if (!seedFolder) await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function writeSeed(folder, seed, settings) {
  await mkdir(folder, { recursive: true });
  for (const [collection, rows] of Object.entries(seed)) {
    await writeFile(join(folder, `${collection}.ndjson`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  }
  if (settings) await writeFile(join(folder, "settings.json"), JSON.stringify(settings));
}

export async function tokenOf(about, which = "registered") {
  const [id, secret] =
    which === "registered"
      ? [about.clientId, about.clientSecret]
      : [about.unregisteredClientId, about.unregisteredClientSecret];
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: id,
    client_secret: secret,
    scope: `${about.baseUrl}/.default`,
  });
  const response = await fetch(about.tokenUrl, { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}: ${answer.error}`);
  return { token: answer.access_token, expiresOn: Date.now() + answer.expires_in * 1000 };
}
