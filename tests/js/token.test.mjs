import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenSource } from "../../pkg/dist/token.js";

const request = { resource: "https://c.example", scope: "https://c.example/.default", reason: "first" };

test("a token may be a text, or come with its end as Date, text or milliseconds", async () => {
  const at = Date.UTC(2026, 0, 1);
  const given = async (token) => tokenSource(() => token)(request);
  assert.deepEqual(await given("t"), { token: "t" });
  assert.deepEqual(await given({ token: "t" }), { token: "t" });
  assert.deepEqual(await given({ token: "t", expiresOn: new Date(at) }), { token: "t", expiresOn: 1767225600000 });
  assert.deepEqual(await given({ token: "t", expiresOn: "2026-01-01T00:00:00Z" }), {
    token: "t",
    expiresOn: 1767225600000,
  });
  assert.deepEqual(await given(Promise.resolve({ token: "t", expiresOn: at })), {
    token: "t",
    expiresOn: 1767225600000,
  });
});

test("seconds in place of milliseconds and other mistakes are told, without the token", async () => {
  for (const bad of [
    { token: "s3cret", expiresOn: 1767225600 },
    { token: "s3cret", expiresOn: "soon" },
    { token: "s3cret", expiresOn: new Date("x") },
    { access_token: "s3cret" },
    { token: 5 },
    "",
    undefined,
  ]) {
    await assert.rejects(
      async () => tokenSource(() => bad)(request),
      (e) => e.code === "INVALID_ARGUMENT" && !JSON.stringify(e).includes("s3cret") && !e.stack.includes("s3cret"),
    );
  }
});

test("a credential of @azure/identity is asked for the scope", async () => {
  const asked = [];
  const credential = {
    async getToken(...args) {
      asked.push(args);
      return { token: "t", expiresOnTimestamp: 1767225600000 };
    },
  };
  const { signal } = new AbortController();
  assert.deepEqual(await tokenSource(undefined, credential)({ ...request, signal }), {
    token: "t",
    expiresOn: 1767225600000,
  });
  assert.deepEqual(asked, [["https://c.example/.default", { abortSignal: signal }]]);
  await assert.rejects(tokenSource(undefined, { getToken: async () => null })(request), { code: "INVALID_ARGUMENT" });
});

test("one source, not two; none is allowed", () => {
  assert.throws(() => tokenSource(() => "t", { getToken() {} }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => tokenSource("t"), { code: "INVALID_ARGUMENT" });
  assert.equal(tokenSource(), undefined);
});
