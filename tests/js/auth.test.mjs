// When a token is asked for, and where it goes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ScmClient } from "d365-clm";

const ENVIRONMENT = "https://contoso.operations.dynamics.com";
const caught = (promise) =>
  promise.then(
    () => assert.fail("it succeeded"),
    (e) => e,
  );

/** A client whose tokens are numbered; `answer(authorization, url)` gives the answers, by default "7". */
function clientOf({ answer = () => new Response("7"), ...options } = {}) {
  const sent = [];
  const reasons = [];
  const scm = new ScmClient({
    baseUrl: ENVIRONMENT,
    retry: { attempts: 1 },
    getToken: ({ reason }) => {
      reasons.push(reason);
      return { token: `t${reasons.length}`, expiresOn: Date.now() + 3_600_000 };
    },
    fetch: async (url, init) => {
      const headers = Object.fromEntries(init.headers);
      sent.push({ url, authorization: headers.authorization, relay: headers["x-d365-clm-relay"] });
      return answer(headers.authorization, url);
    },
    ...options,
  });
  return { scm, sent, reasons };
}
const count = (scm) => scm.entity("Currencies").count();

test("a token is used until five minutes before its end, and one that ends sooner is renewed first", async () => {
  for (const [left, asked] of [
    [301_000, ["first"]],
    [299_000, ["first", "expiring"]],
  ]) {
    const reasons = [];
    const { scm } = clientOf({
      getToken: ({ reason }) => {
        reasons.push(reason);
        return { token: "t", expiresOn: Date.now() + (reasons.length === 1 ? left : 3_600_000) };
      },
    });
    await count(scm);
    await count(scm);
    assert.deepEqual(reasons, asked, `${left} ms are left`);
  }
});

test("a refusal and a redirect to the sign-in page lead to one new token and one more try", async () => {
  const refusals = [
    () => new Response("", { status: 401 }),
    () => new Response("", { status: 302, headers: { location: "https://login.example/?sig=SECRET" } }),
  ];
  for (const refusal of refusals) {
    const { scm, sent, reasons } = clientOf({
      answer: (authorization) => (authorization === "Bearer t1" ? refusal() : new Response("7")),
    });
    assert.equal(await count(scm), 7);
    assert.deepEqual(reasons, ["first", "rejected"]);
    assert.deepEqual(
      sent.map(({ authorization }) => authorization),
      ["Bearer t1", "Bearer t2"],
    );
    const stubborn = clientOf({ answer: refusal });
    const error = await caught(count(stubborn.scm));
    assert.equal(error.code, "AUTH_REJECTED");
    assert.deepEqual([stubborn.reasons, stubborn.sent.length], [["first", "rejected"], 2]);
    assert.doesNotMatch(JSON.stringify(error), /SECRET/);
  }
});

test("many that are refused at once ask for one new token", async () => {
  const { scm, reasons } = clientOf({
    answer: (authorization) => (authorization === "Bearer t1" ? new Response("", { status: 401 }) : new Response("7")),
  });
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map(() => count(scm))), [7, 7, 7, 7]);
  assert.deepEqual(reasons, ["first", "rejected"]);
});

test("the signal of a token fires when the last call that waits for it has given up, and the next call asks anew", async () => {
  const signals = [];
  const { scm } = clientOf({
    getToken: ({ signal }) => {
      signals.push(signal);
      return signals.length === 1 ? new Promise(() => {}) : "t";
    },
  });
  const [a, b] = [new AbortController(), new AbortController()];
  const calls = [a, b].map(({ signal }) => caught(scm.entity("Currencies").count(undefined, { signal })));
  while (signals.length === 0) await new Promise((go) => setTimeout(go));
  await new Promise((go) => setTimeout(go));
  a.abort();
  assert.equal((await calls[0]).code, "ABORTED");
  assert.equal(signals[0].aborted, false, "the other call still waits");
  b.abort();
  assert.equal((await calls[1]).code, "ABORTED");
  assert.equal(signals[0].aborted, true);
  assert.equal(await count(scm), 7);
  assert.equal(signals.length, 2);
});

test("a request is relayed to listed origins only, with the token of the original URL", async () => {
  const relayOrigins = ["https://relay.example"];
  const rewriteUrl = (url) => `https://relay.example/scm?u=${encodeURIComponent(url)}`;
  const { scm, sent } = clientOf({ rewriteUrl, relayOrigins });
  assert.equal(await count(scm), 7);
  assert.deepEqual([sent[0].relay, sent[0].authorization], ["1", "Bearer t1"]);
  for (const options of [
    { rewriteUrl },
    { rewriteUrl: () => "https://relay.example.evil.example/", relayOrigins },
    { rewriteUrl: () => "http://relay.example/", relayOrigins: ["http://relay.example"] },
    { rewriteUrl: () => "//evil.example/", relayOrigins },
    { rewriteUrl: () => "/\\evil.example/", relayOrigins },
  ]) {
    const refused = clientOf(options);
    const error = await caught(count(refused.scm));
    assert.equal(refused.sent.length, 0, "nothing is sent");
    assert.match(error.message, /rewriteUrl/);
  }
});
