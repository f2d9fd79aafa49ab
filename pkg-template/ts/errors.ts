/**
 * The one error class of the package, and the ways into it. What an error means is decided in Rust; only what happens before the
 * module is reached (loading, bad JavaScript values, cancellation) gets its code here.
 */
import type { WireError } from "./wire.js";

/** Stable names of everything that can go wrong. They are API: never renamed, never used for something else. */
export type ErrorCode =
  // loading and life time
  | "NOT_INITIALIZED"
  | "WASM_LOAD_FAILED"
  | "WASM_BLOCKED"
  | "INTERNAL_PANIC"
  | "DISPOSED"
  // input of the caller
  | "INVALID_ARGUMENT"
  | "UNKNOWN_ENTITY"
  | "UNKNOWN_PROPERTY"
  | "UNSUPPORTED_QUERY"
  // packages
  | "NOT_A_PACKAGE"
  | "PACKAGE_CORRUPT"
  | "PACKAGE_LIMIT"
  | "MANIFEST_INVALID"
  | "DATA_INVALID"
  // service
  | "AUTH_REJECTED"
  | "APP_NOT_REGISTERED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "CONFLICT"
  | "PRECONDITION_FAILED"
  | "VALIDATION_FAILED"
  | "THROTTLED"
  | "SERVICE_ERROR"
  // transport
  | "NETWORK"
  | "CORS_OR_NETWORK"
  | "TIMEOUT"
  | "ABORTED"
  // jobs
  | "JOB_FAILED"
  | "JOB_CANCELED"
  | "JOB_STALLED"
  | "OUTCOME_UNKNOWN"
  | "SOURCE_REQUIRED"
  | "SOURCE_CHANGED"
  | "CHECKPOINT_CONFLICT"
  | "CHECKPOINT_INVALID"
  | "RECONCILE_REFUSED";

/** What the service itself said, without secrets. */
export interface ServiceWords {
  /** The service's own error code; mostly empty. */
  code?: string;
  /** The reason, without noise. */
  message?: string;
  /** The inner message as it came. */
  inner?: string;
  /** `x-ms-request-id` of the answer. */
  requestId?: string;
  /** `ms-dyn-aid` of the answer; support asks for it. */
  activityId?: string;
}

/** A place in a package, or in the rows that were handed over. */
export interface Place {
  /** Name of the entry in the zip. */
  file?: string;
  /** Label of the data entity. */
  entity?: string;
  /** 1-based line of the file; for rows that were handed over, the 1-based row. */
  line?: number;
  /** Name of the column. */
  column?: string;
}

/** Everything that an error may carry beside its code and message. */
export interface ErrorDetails {
  status?: number;
  service?: ServiceWords;
  retryAfter?: number;
  at?: Place;
  hint?: string;
  result?: unknown;
  cause?: unknown;
}

/**
 * Every failure of this package. Branch on `code`; show `message` and `hint` to people.
 *
 * Neither holds a token, a client secret or the signature of a storage URL. `cause` is what JavaScript threw (the host's own
 * `getToken`, `fetch`, callback): it is not redacted, and `toJSON()` leaves it out.
 *
 * @example
 * try {
 *   await scm.importPackage(spec, { project: "CLM-Import" }).done();
 * } catch (error) {
 *   if (isClmError(error) && error.code === "JOB_FAILED") console.error(error.message, error.hint);
 *   else throw error;
 * }
 */
export class ClmError extends Error {
  /** What kind of failure it is. */
  readonly code: ErrorCode;
  /** HTTP status where a service answered. */
  declare readonly status?: number;
  /** What the service itself said. */
  declare readonly service?: ServiceWords;
  /** Milliseconds after which the same call is worth repeating, where known. */
  declare readonly retryAfter?: number;
  /** Where in a package or in the rows. */
  declare readonly at?: Place;
  /** One sentence that tells the person what to do. */
  declare readonly hint?: string;
  /** JOB_FAILED: what is known of the run. INTERNAL_PANIC in a job: its last checkpoint. */
  declare readonly result?: unknown;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    for (const key of ["status", "service", "retryAfter", "at", "hint", "result"] as const) {
      if (details[key] !== undefined) Object.defineProperty(this, key, { value: details[key], enumerable: true });
    }
  }

  static {
    Object.defineProperty(ClmError.prototype, "name", { value: "ClmError", configurable: true, writable: true });
  }

  /** What can be logged or sent: without stack and cause. */
  toJSON(): object {
    const { name, code, message, status, service, retryAfter, at, hint, result } = this;
    return { name, code, message, status, service, retryAfter, at, hint, result };
  }
}

/** Whether it is an error of this package; also true for one of another copy of it. */
export function isClmError(e: unknown): e is ClmError {
  if (typeof e !== "object" || e === null) return false;
  const { name, code } = e as { name?: unknown; code?: unknown };
  return e instanceof ClmError || (name === "ClmError" && typeof code === "string");
}

/** `INVALID_ARGUMENT`. */
export function invalid(message: string, details?: ErrorDetails): ClmError {
  return new ClmError("INVALID_ARGUMENT", message, details);
}

/** The object was disposed of before, or went with its instance of the module: then `panic` is what ended that. */
export function disposed(what: string, panic?: unknown): ClmError {
  if (panic === undefined) return new ClmError("DISPOSED", `${what} was disposed of`, { hint: "Create a new one." });
  return new ClmError("DISPOSED", `${what} is gone: the module was stopped by a bug and started afresh`, {
    cause: panic,
    hint: "Create a new one. `cause` says what happened.",
  });
}

/** The caller's signal fired. */
export function aborted(signal: AbortSignal): ClmError {
  if (isClmError(signal.reason)) return signal.reason;
  return new ClmError("ABORTED", "the caller gave up", { cause: signal.reason });
}

/** Throws `ABORTED` where the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

function isWireError(e: unknown): e is WireError {
  return typeof e === "object" && e !== null && (e as WireError).wire === true;
}

/** What Rust threw, as a ClmError; anything else as it is. */
export function fromWire(e: unknown, signal?: AbortSignal): unknown {
  if (!isWireError(e)) return e;
  // What a function of the host threw in our own words needs no other ones.
  if (isClmError(e.cause) && e.cause.code === e.code) return e.cause;
  if (e.code === "ABORTED" && signal?.aborted) {
    if (isClmError(signal.reason)) return signal.reason;
    return new ClmError("ABORTED", e.message, { ...e, cause: signal.reason });
  }
  return new ClmError(e.code as ErrorCode, e.message, e);
}
