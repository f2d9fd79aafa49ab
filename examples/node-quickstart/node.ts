// Runs the main job in Node against the environment that D365_SANDBOX describes; D365_SEED is the folder that it was filled from.
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, isClmError, type Row, type TokenRequest } from "d365-clm";
import { run } from "./main.js";

const { baseUrl, tokenUrl, clientId, clientSecret } = JSON.parse(setting("D365_SANDBOX"));
const seed = setting("D365_SEED");
const state = await mkdtemp(join(tmpdir(), "d365-clm-quickstart-"));

function setting(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`${name} is not set: see README.md`);
}

/** Client credentials; in production a certificate or a managed identity is the better choice. */
async function getToken({ scope }: TokenRequest) {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    client_secret: clientSecret,
    scope,
  });
  const response = await fetch(tokenUrl, { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}: ${answer.error}`);
  return { token: answer.access_token as string, expiresOn: Date.now() + Number(answer.expires_in) * 1000 };
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
async function save(checkpoint: Checkpoint): Promise<void> {
  const file = join(state, `${checkpoint.executionId}.json`);
  await writeFile(`${file}.new`, JSON.stringify(checkpoint));
  await rename(`${file}.new`, file);
}

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const right = await run({
    client: { baseUrl, getToken, company: "usmf" },
    seed: async (collection) => {
      const text = await readFile(join(seed, `${collection}.ndjson`), "utf8");
      return text
        .split("\n")
        .filter(Boolean)
        .map((line): Row => JSON.parse(line));
    },
    report: print,
    save,
    now: () => performance.now(),
  });
  if (!right) process.exitCode = 1;
} catch (error) {
  process.exitCode = 1;
  if (isClmError(error)) print({ type: "error", code: error.code, message: error.message, hint: error.hint });
  else print({ type: "error", code: "UNEXPECTED", message: String(error) });
} finally {
  await rm(state, { recursive: true, force: true });
}
