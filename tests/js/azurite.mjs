// A blob storage for a test: Azurite in memory, with an account of the test's own. Needs D365_AZURITE.
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { D365_AZURITE: AZURITE } = process.env;
const ACCOUNT = "checkpoints";
const KEY = Buffer.from("a key for tests, of no value to anyone").toString("base64");
const VERSION = "2021-08-06";

/** Why tests with a storage can't run, or false. With CI=true a missing one is a failure. */
export function azuriteMissing() {
  if (AZURITE && existsSync(AZURITE)) return false;
  const reason = AZURITE ? `D365_AZURITE: there is no ${AZURITE}` : "D365_AZURITE is not set";
  if (process.env.CI === "true") throw new Error(`${reason}, and CI=true forbids skipping`);
  return reason;
}

export async function startAzurite() {
  const folder = await mkdtemp(join(tmpdir(), "d365-clm-azurite-"));
  const args = [
    AZURITE,
    "--blobHost",
    "127.0.0.1",
    "--blobPort",
    "0",
    "--inMemoryPersistence",
    "--skipApiVersionCheck",
  ];
  const child = spawn(process.execPath, [...args, "--disableTelemetry"], {
    cwd: folder,
    env: { ...process.env, AZURITE_ACCOUNTS: `${ACCOUNT}:${KEY}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let log = "";
  const origin = await new Promise((resolve, reject) => {
    const look = (data) => {
      log += data;
      const found =
        /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(log) ?? /listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(log);
      if (found) resolve(found[1]);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    exited.then((code) => reject(new Error(`Azurite ended with ${code}:\n${log}`)));
  });
  const root = `${origin}/${ACCOUNT}`;
  return {
    /** A new container's URL, with a signature for everything in the account. */
    async container(name) {
      const response = await fetch(`${root}/${name}?restype=container&${signature()}`, { method: "PUT" });
      if (response.status !== 201) throw new Error(`Azurite answered ${response.status}: ${await response.text()}`);
      return `${root}/${name}?${signature()}`;
    },
    url: (name, rights) => `${root}/${name}?${signature(rights)}`,
    async stop() {
      child.kill();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An account's shared access signature ("Create an account SAS"). */
function signature(rights = "rwdlac") {
  const end = "2099-01-01T00:00:00Z";
  const text = [ACCOUNT, rights, "b", "sco", "", end, "", "https,http", VERSION, "", ""].join("\n");
  const sig = createHmac("sha256", Buffer.from(KEY, "base64")).update(text, "utf8").digest("base64");
  return new URLSearchParams({
    sv: VERSION,
    ss: "b",
    srt: "sco",
    sp: rights,
    se: end,
    spr: "https,http",
    sig,
  }).toString();
}
