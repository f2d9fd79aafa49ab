// What a host sees of a service that is busy: pauses, an account of them, and fewer requests at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ScmClient } from "d365-clm";

const BASE = "https://contoso.operations.dynamics.com";

/** A service that bears `most` requests at once, each taking `ms`, and answers 429 to those beyond. */
class Busy {
  inFlight = 0;
  highest = 0;
  requests = 0;
  refused = 0;
  urls = [];

  constructor(most, ms = 5, headers = { "retry-after": "0" }) {
    this.most = most;
    this.ms = ms;
    this.headers = headers;
  }

  fetch = async (url) => {
    this.requests += 1;
    this.urls.push(String(url));
    if (this.inFlight >= this.most) {
      this.refused += 1;
      return new Response("", { status: 429, headers: this.headers });
    }
    this.inFlight += 1;
    this.highest = Math.max(this.highest, this.inFlight);
    await sleep(this.ms);
    this.inFlight -= 1;
    return new Response('{"A":1}');
  };

  client(options) {
    return new ScmClient({ baseUrl: BASE, getToken: () => "t", fetch: this.fetch, ...options });
  }
}

const get = (client, id, options) => client.entity("X").get({ Id: String(id) }, undefined, options);
const many = (client, count) => Promise.all(Array.from({ length: count }, (_, id) => get(client, id)));

test("fifty reads at once of a service that bears ten end well", async (t) => {
  const service = new Busy(10);
  const events = [];
  const warnings = [];
  const note = ({ name }) => warnings.push(name);
  process.on("warning", note);
  t.after(() => process.off("warning", note));
  const client = service.client({ concurrency: 50, onEvent: (event) => events.push(event) });
  assert.deepEqual(await many(client, 50), Array(50).fill({ A: 1 }));
  assert.ok(service.refused >= 40 && service.refused < 100, `${service.refused} were refused`);
  assert.equal(service.requests, 50 + service.refused);
  assert.equal(events.filter(({ type }) => type === "throttled").length, service.refused);
  await sleep(1);
  assert.deepEqual(warnings, []);
  // What was learned stays: the next ones are refused less.
  const before = service.refused;
  await many(client, 50);
  assert.ok(service.refused - before < 30, `${service.refused - before} were refused again`);
});

test("no more than eight are in flight where the host says nothing, and they go in order", async () => {
  const service = new Busy(Number.POSITIVE_INFINITY);
  await many(service.client(), 30);
  assert.equal(service.highest, 8);
  assert.deepEqual(
    service.urls.map((url) => /'(\d+)'/.exec(url)[1]),
    Array.from({ length: 30 }, (_, id) => String(id)),
  );
  const wide = new Busy(Number.POSITIVE_INFINITY);
  await many(wide.client({ concurrency: 1_000 }), 100);
  assert.equal(wide.highest, 52);
});

test("who gives up leaves the line unsent", async () => {
  const service = new Busy(Number.POSITIVE_INFINITY, 20);
  const client = service.client({ concurrency: 1 });
  const controller = new AbortController();
  const first = get(client, "first");
  const second = get(client, "second", { signal: controller.signal });
  const third = get(client, "third");
  await sleep(5);
  controller.abort();
  await assert.rejects(second, { code: "ABORTED" });
  assert.deepEqual([await first, await third], [{ A: 1 }, { A: 1 }]);
  assert.deepEqual(
    service.urls.map((url) => /'(\w+)'/.exec(url)[1]),
    ["first", "third"],
  );
});

test("a service that is always busy is given up, with the time to wait", async () => {
  const hint = (headers) => new Busy(0, 0, headers).client({ retry: { attempts: 1 } });
  await assert.rejects(get(hint({ "retry-after": "7" }), 1), { code: "THROTTLED", status: 429, retryAfter: 7_000 });
  await assert.rejects(get(hint({}), 1), { code: "THROTTLED", retryAfter: 30_000 });
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  await assert.rejects(
    get(hint({ "retry-after": date }), 1),
    (e) => e.retryAfter > 3_500_000 && e.retryAfter <= 3_600_000,
  );
  await assert.rejects(get(hint({ "retry-after": "soon" }), 1), { code: "THROTTLED", retryAfter: 30_000 });

  const service = new Busy(0);
  const client = service.client({ retry: { attempts: 3 } });
  await assert.rejects(get(client, 1), { code: "THROTTLED" });
  assert.equal(service.requests, 3);
});

test("all conversations of a client share one account of pauses", async () => {
  const service = new Busy(0, 0, { "retry-after": "1" });
  const client = service.client({ retry: { budget: 1_200 }, concurrency: 5 });
  // Side by side the pauses count once; a second one is beyond the account.
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, (_, id) => get(client, id)));
  assert.deepEqual(
    outcomes.map(({ reason }) => reason?.code),
    Array(5).fill("THROTTLED"),
  );
  const before = service.requests;
  assert.ok(before >= 6 && before <= 10, `${before} requests`);
  await assert.rejects(get(client, 9), { code: "THROTTLED" });
  assert.equal(service.requests, before + 1);
});

test("a write that is refused as busy is sent again, one whose fate is unknown is not", async () => {
  const statuses = [429, 201];
  let posts = 0;
  const fetch = async () => {
    posts += 1;
    return new Response('{"A":1}', { status: statuses.shift(), headers: { "retry-after": "0" } });
  };
  const client = new ScmClient({ baseUrl: BASE, getToken: () => "t", fetch });
  assert.deepEqual(await client.entity("X").create({ A: 1 }), { A: 1 });
  assert.equal(posts, 2);
  let lost = 0;
  const losing = new ScmClient({
    baseUrl: BASE,
    getToken: () => "t",
    fetch: async () => {
      lost += 1;
      throw new TypeError("reset");
    },
  });
  await assert.rejects(losing.entity("X").create({ A: 1 }), { code: "NETWORK" });
  assert.equal(lost, 1);
});
