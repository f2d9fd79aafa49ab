/** Checkpoints in a folder; for Node, Deno and Bun. */
import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ClmError, invalid } from "../errors.js";
import { type CheckpointStore, checkKey, conflict, storeFailed } from "./store.js";

/** Longest name of a file before its version. */
const LONGEST_NAME = 180;
const KEPT = "+";
const GONE = "-";

/**
 * A store in a folder of a local disk, shared by all processes of the machine.
 *
 * Each value is a file of its own, `<key>.<version>`: written beside, flushed to the disk (`fsync`), and given its name by a hard
 * link, which fails where another process took that version first. The folder is flushed too. So whatever dies, either the old
 * value or the new one is there, whole. A deleted key leaves a file of one byte. Network file systems without hard links or exclusive names are not for it.
 *
 * @param directory created with its parents where missing, readable by the owner alone
 * @throws {ClmError} from its functions: CHECKPOINT_CONFLICT; NETWORK, with the system's error as `cause`, where the disk refuses
 */
export function fileStore(directory: string): CheckpointStore {
  if (typeof directory !== "string" || directory === "") throw invalid("a file store needs a folder");

  /** The versions of a key that are there; the newest is the value. */
  async function versions(name: string): Promise<number[]> {
    const files = await readdir(directory);
    return files.flatMap((file) => (file.startsWith(`${name}.`) ? versionOf(file.slice(name.length + 1)) : []));
  }

  async function current(name: string): Promise<{ version: number; value: string | undefined }> {
    while (true) {
      const version = Math.max(0, ...(await versions(name)));
      if (version === 0) return { version, value: undefined };
      try {
        const text = await readFile(join(directory, `${name}.${version}`), "utf8");
        return { version, value: text.startsWith(KEPT) ? text.slice(KEPT.length) : undefined };
      } catch (e) {
        // A newer version came meanwhile, and the old file was cleared away.
        if (codeOf(e) !== "ENOENT") throw e;
      }
    }
  }

  /** Makes `text` the version after `before`, or finds that somebody else was first. */
  async function put(key: string, name: string, before: number, text: string): Promise<number> {
    const version = before + 1;
    const target = join(directory, `${name}.${version}`);
    const temporary = join(directory, `.${randomUUID()}.tmp`);
    const file = await open(temporary, "wx", 0o600);
    try {
      try {
        await file.writeFile(text, "utf8");
        await file.sync();
      } finally {
        await file.close();
      }
      await link(temporary, target);
    } catch (e) {
      if (codeOf(e) === "EEXIST") throw conflict(key);
      throw e;
    } finally {
      await unlink(temporary).catch(() => {});
    }
    await flushFolder(directory);
    // A process that looked before and wrote after two others may have taken a number that was cleared away.
    const there = await versions(name);
    if (there.some((other) => other > version)) {
      await unlink(target).catch(() => {});
      throw conflict(key);
    }
    for (const old of there.filter((other) => other < version)) {
      await unlink(join(directory, `${name}.${old}`)).catch(() => {});
    }
    return version;
  }

  async function guarded<T>(key: string, what: string, step: (name: string) => Promise<T>): Promise<T> {
    const name = nameOf(checkKey(key));
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return await step(name);
    } catch (e) {
      throw e instanceof ClmError ? e : storeFailed(key, what, e);
    }
  }

  return {
    load: (key) =>
      guarded(key, "read", async (name) => {
        const { version, value } = await current(name);
        return value === undefined ? undefined : { value, version: String(version) };
      }),
    save: (key, value, ifVersion) =>
      guarded(key, "kept", async (name) => {
        const now = await current(name);
        const known = now.value === undefined ? undefined : String(now.version);
        if (known !== ifVersion) throw conflict(key);
        return String(await put(key, name, now.version, KEPT + value));
      }),
    delete: (key, ifVersion) =>
      guarded(key, "deleted", async (name) => {
        const now = await current(name);
        if (now.value === undefined) return;
        if (ifVersion !== undefined && ifVersion !== String(now.version)) throw conflict(key);
        // A mark in place of the value, so that no version ever comes twice.
        await put(key, name, now.version, GONE);
      }),
  };
}

/** A name that every file system takes and tells apart: capital letters are written as codes. */
function nameOf(key: string): string {
  const name = encodeURIComponent(key).replace(
    /[A-Z.*'()!~]|%[0-9A-F]{2}/g,
    (found) => `%${found.startsWith("%") ? found.slice(1).toLowerCase() : found.charCodeAt(0).toString(16)}`,
  );
  if (name.length <= LONGEST_NAME) return name;
  return `${name.slice(0, 100)}#${createHash("sha256").update(key).digest("hex")}`;
}

function versionOf(text: string): number | [] {
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : [];
}

async function flushFolder(directory: string): Promise<void> {
  try {
    const folder = await open(directory, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (e) {
    // Windows can't flush folders, and needs no flush for names.
    if (!["EPERM", "EISDIR", "EACCES", "EINVAL"].includes(String(codeOf(e)))) throw e;
  }
}

function codeOf(e: unknown): unknown {
  return typeof e === "object" && e !== null ? (e as { code?: unknown }).code : undefined;
}
