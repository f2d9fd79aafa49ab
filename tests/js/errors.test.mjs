import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { ClmError, isClmError } from "d365-clm";
import { aborted, fromWire } from "../../pkg/dist/errors.js";

const wire = (more) => ({ wire: true, code: "JOB_FAILED", message: "it failed", ...more });

test("what Rust throws becomes a ClmError with everything that it carries", () => {
  const cause = new Error("inner");
  const service = { message: "Contract type X was not found.", requestId: "r" };
  const at = { file: "Manifest.xml", line: 3 };
  const error = fromWire(wire({ status: 400, service, retryAfter: 5000, at, hint: "h", result: { a: 1 }, cause }));
  assert.ok(error instanceof ClmError && error instanceof Error);
  assert.equal(error.name, "ClmError");
  assert.equal(error.cause, cause);
  assert.deepEqual(
    { ...error },
    { code: "JOB_FAILED", status: 400, service, retryAfter: 5000, at, hint: "h", result: { a: 1 } },
  );
  assert.match(error.stack, /ClmError: it failed/);
});

test("absent things are absent, not undefined", () => {
  assert.deepEqual(Object.keys(new ClmError("TIMEOUT", "late")), ["code"]);
  assert.equal("hint" in new ClmError("TIMEOUT", "late"), false);
});

test("as JSON it has no stack and no cause", () => {
  const error = new ClmError("NETWORK", "gone", { hint: "h", cause: new Error("secret-in-cause") });
  const text = JSON.stringify(error);
  assert.deepEqual(JSON.parse(text), { name: "ClmError", code: "NETWORK", message: "gone", hint: "h" });
});

test("an error of another copy of the package is recognised by its name", () => {
  class Other extends Error {
    name = "ClmError";
    code = "NETWORK";
  }
  assert.equal(isClmError(new Other()), true);
  assert.equal(isClmError({ name: "ClmError", code: "NETWORK" }), true);
  for (const not of [new Error("x"), { name: "ClmError" }, null, undefined, "ClmError"]) {
    assert.equal(isClmError(not), false, inspect(not));
  }
});

test("what the caller's signal gave as reason is the cause", () => {
  const reason = new Error("the user left");
  const controller = new AbortController();
  controller.abort(reason);
  const error = aborted(controller.signal);
  assert.equal(error.code, "ABORTED");
  assert.equal(error.cause, reason);
  const late = fromWire(wire({ code: "ABORTED" }), controller.signal);
  assert.equal(late.cause, reason);
});
