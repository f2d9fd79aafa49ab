/**
 * Where checkpoints live: what every store promises, and how its keys and conflicts look. What is kept, and when, is decided in
 * Rust; a store keeps small texts under keys and refuses to overwrite what it was not told of.
 */
import { ClmError, invalid } from "../errors.js";

/** Keeps checkpoints. Your own store needs no more than these three functions. */
export interface CheckpointStore {
  /** What is kept under the key, with a version that no other value of this key has or will have; undefined where nothing is. */
  load(key: string): Promise<{ value: string; version: string } | undefined>;
  /**
   * Keeps the value and gives its version. Durable when it resolves.
   *
   * @param ifVersion the version that is to be replaced; undefined: nothing must be there
   * @throws {ClmError} CHECKPOINT_CONFLICT where something else is there; nothing is changed then
   */
  save(key: string, value: string, ifVersion?: string): Promise<string>;
  /**
   * Forgets the key; nothing happens where nothing is there.
   *
   * @param ifVersion only this version; undefined: any
   * @throws {ClmError} CHECKPOINT_CONFLICT
   */
  delete(key: string, ifVersion?: string): Promise<void>;
}

/** Longest key, in UTF-16 code units. */
const LONGEST_KEY = 512;

/** A key that every store takes: texts joined by `/`. */
export function checkKey(key: unknown): string {
  if (typeof key === "string" && key !== "" && key.length <= LONGEST_KEY && !hasControl(key)) return key;
  throw invalid(`a checkpoint's key is a text of 1 to ${LONGEST_KEY} characters without control characters`);
}

export function conflict(key: string): ClmError {
  return new ClmError("CHECKPOINT_CONFLICT", `the checkpoint "${key}" was changed by somebody else`, {
    hint: "Another process works under the same key. Let one of them end, then load the checkpoint anew.",
  });
}

/** Nothing is known of what the store did. */
export function storeFailed(key: string, what: string, cause: unknown): ClmError {
  return new ClmError("NETWORK", `the checkpoint "${key}" could not be ${what}`, {
    cause,
    hint: "Nothing is sent to the service before its checkpoint is durable. See the cause, then resume.",
  });
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
