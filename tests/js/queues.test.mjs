// Queues of recurring jobs, against answers written by hand after "Recurring integrations".
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPackage } from "d365-clm";
import { all, bytesOf, caught, ENVIRONMENT, fakeService, json, ranged, value } from "./fake-service.mjs";
import { zipOf } from "./zip.mjs";

const ACTIVITY = "0e5c1a5d-7f5c-4a52-9a0e-0c5b2f3a7d11";
const CONNECTOR = `${ENVIRONMENT}/api/connector`;

/** Texts of dequeue, each with a member that the library does not know and spaces of its own. */
const messageText = (id, more = {}) =>
  `{ "CorrelationId": "${id}", "PopReceipt": "r-${id}", "Unknown": [1], ${Object.entries({
    DownloadLocation: `http://contoso.operations.dynamics.com/api/connector/download/${ACTIVITY}?blob=${id}`,
    ...more,
  })
    .map(([name, of]) => `"${name}": ${JSON.stringify(of)}`)
    .join(", ")} }`;

/** A queue with these messages; those that were not acknowledged stay at its end, as if 30 minutes had passed. */
function queue(messages, { file = () => Buffer.from("a;b\r\n"), ack = () => new Response("") } = {}) {
  const texts = [...messages];
  const acked = [];
  const fake = fakeService((request) => {
    if (request.url === `${CONNECTOR}/dequeue/${ACTIVITY}`) {
      const text = texts.shift();
      return text === undefined ? new Response(null, { status: 204 }) : new Response(text);
    }
    if (request.url === `${CONNECTOR}/ack/${ACTIVITY}`) {
      const response = ack(request);
      if (response.ok) acked.push(request.body);
      return response;
    }
    assert.match(request.url, /^https:.*[?]blob=/);
    const bytes = file(request);
    return bytes instanceof Response ? bytes : ranged(bytes, request);
  });
  return { ...fake, texts, acked };
}

test("bytes, Blobs and streams go into the queue, and the id comes back in both shapes", async () => {
  const answers = ['"m-1"', '{"value":"m-2"}', '"m-3"'];
  const { scm, asked } = fakeService(() => new Response(answers.shift()), { company: "usmf" });
  const { queues } = scm;
  assert.equal(await queues.enqueue(ACTIVITY, Buffer.from("one")), "m-1");
  const options = { entity: "VendorsV2", company: "demf", externalId: "x-1" };
  assert.equal(await queues.enqueue(`{${ACTIVITY}}`, new Blob(["two"]), options), "m-2");
  assert.equal(await queues.enqueue(ACTIVITY, new Blob(["three"]).stream()), "m-3");
  assert.deepEqual(
    asked.map(({ method, url, body }) => [method, url, body]),
    [
      ["POST", `${CONNECTOR}/enqueue/${ACTIVITY}?company=usmf`, "one"],
      ["POST", `${CONNECTOR}/enqueue/${ACTIVITY}?entity=Vendors%20V2&company=demf`, "two"],
      ["POST", `${CONNECTOR}/enqueue/${ACTIVITY}?company=usmf`, "three"],
    ],
  );
  assert.equal(asked[1].headers["x-ms-dyn-externalidentifier"], "x-1");
  assert.equal((await caught(queues.enqueue("not an id", Buffer.from("x")))).code, "INVALID_ARGUMENT");
  assert.equal((await caught(queues.enqueue(ACTIVITY, "text"))).code, "INVALID_ARGUMENT");
  scm.dispose();
});

test("a lost answer to an enqueue is not repeated", async () => {
  const { scm, asked } = fakeService(() => {
    throw new TypeError("fetch failed");
  });
  assert.equal((await caught(scm.queues.enqueue(ACTIVITY, Buffer.from("x")))).code, "OUTCOME_UNKNOWN");
  assert.equal(asked.length, 1);
  scm.dispose();
});

test("the status is spelled in one way", async () => {
  const words = ["PostProcessingError", "PreProcessing", "Acked"];
  const { scm, asked } = fakeService(() => value(words.shift()));
  assert.equal(await scm.queues.status("m-1"), "PostProcessingFailed");
  assert.equal(await scm.queues.status("m-1"), "Preprocessing");
  assert.equal(await scm.queues.status("m-1"), "Acked");
  assert.deepEqual([asked[0].action, asked[0].body], ["GetMessageStatus", '{"messageId":"m-1"}']);
  scm.dispose();
});

test("each message is handled, and only then acknowledged with the text that came", async () => {
  const first = messageText("1");
  const second = messageText("2", { LastDequeueDateTime: "2026-03-02T10:15:07Z" });
  const { scm, acked, asked } = queue([first, second]);
  const seen = [];
  const count = await scm.queues.drain(ACTIVITY, async (message) => {
    const text = (await bytesOf(message.stream())).toString();
    assert.equal((await bytesOf(message.stream())).toString(), text, "it can be read again");
    seen.push([message.id, text, message.package, message.lastDequeued, acked.length]);
  });
  assert.equal(count, 2);
  assert.deepEqual(seen, [
    ["1", "a;b\r\n", undefined, undefined, 0],
    ["2", "a;b\r\n", undefined, "2026-03-02T10:15:07Z", 1],
  ]);
  assert.deepEqual(acked, [first, second]);
  assert.equal(asked[1].url, `${CONNECTOR}/download/${ACTIVITY}?blob=1`, "http has become https");
  scm.dispose();
});

test("a handler that throws leaves its message in the queue and the rest untouched", async () => {
  const { scm, acked, texts } = queue([messageText("1"), messageText("2"), messageText("3")]);
  const own = new Error("the contract system is down");
  const failing = scm.queues.drain(ACTIVITY, async ({ id }) => {
    if (id === "2") throw own;
  });
  assert.equal(await caught(failing), own);
  assert.deepEqual(acked, [messageText("1")]);
  assert.deepEqual(texts, [messageText("3")]);
  // Thirty minutes later.
  texts.push(messageText("2", { LastDequeueDateTime: "2026-03-02T10:15:07Z" }));
  const again = [];
  assert.equal(await scm.queues.drain(ACTIVITY, (message) => void again.push([message.id, message.lastDequeued])), 2);
  assert.deepEqual(again, [
    ["3", undefined],
    ["2", "2026-03-02T10:15:07Z"],
  ]);
  scm.dispose();
});

test("an acknowledgement whose answer is lost is sent again; refused at first, it is an error", async () => {
  let tries = 0;
  const { scm } = queue([messageText("1")], {
    ack: () => {
      tries += 1;
      if (tries === 1) throw new TypeError("socket hang up");
      return new Response("", { status: 404 });
    },
  });
  assert.equal(await scm.queues.drain(ACTIVITY, () => {}), 1);
  assert.equal(tries, 2);
  scm.dispose();
  const refused = queue([messageText("1")], { ack: () => new Response("", { status: 404 }) });
  const error = await caught(refused.scm.queues.drain(ACTIVITY, () => {}));
  assert.equal(error.code, "NOT_FOUND");
  assert.match(error.hint, /Manage scheduled data jobs/);
  refused.scm.dispose();
});

test("a data package comes opened, and is read by ranges", async () => {
  const rows = Array.from({ length: 150_000 }, (_, i) => ({
    CurrencyCode: `C${i}`,
    Name: `${(i * 7919) % 1_000_003}`,
  }));
  const bytes = Buffer.from(await buildPackage({ name: "Out", level: 0, entities: [{ entity: "Currencies", rows }] }));
  assert.ok(bytes.length > 4 * 1024 * 1024);
  const { scm, acked, asked } = queue([messageText("1")], { file: () => bytes });
  let kept;
  await scm.queues.drain(ACTIVITY, async (message) => {
    kept = message.package;
    const read = await all(message.package.entity("Currencies").rows());
    assert.equal(read.length, 150_000);
    assert.deepEqual(read.at(-1), { CURRENCYCODE: "C149999", NAME: rows.at(-1).Name });
    assert.ok((await bytesOf(message.stream())).equals(bytes));
    assert.equal(acked.length, 0);
  });
  assert.equal(acked.length, 1);
  assert.ok(asked.filter(({ url }) => url.includes("/download/")).length > 2);
  assert.equal((await caught(all(kept.entity("Currencies").rows()))).code, "DISPOSED");
  scm.dispose();
});

test("another zip is a file, and a damaged one is not acknowledged", async () => {
  const workbook = Buffer.from(zipOf({ "xl/workbook.xml": "<workbook/>" }));
  const file = queue([messageText("1")], { file: () => workbook });
  await file.scm.queues.drain(ACTIVITY, async (message) => {
    assert.equal(message.package, undefined);
    assert.ok((await bytesOf(message.stream())).equals(workbook));
  });
  file.scm.dispose();
  const bytes = Buffer.from(
    await buildPackage({ name: "Out", entities: [{ entity: "Currencies", rows: [{ CurrencyCode: "EUR" }] }] }),
  );
  const cut = queue([messageText("1")], { file: () => new Response(bytes.subarray(0, bytes.length - 30)) });
  const error = await caught(cut.scm.queues.drain(ACTIVITY, () => assert.fail("it was handed over")));
  assert.match(error.code, /PACKAGE_CORRUPT|NOT_A_PACKAGE/);
  assert.deepEqual(cut.acked, []);
  cut.scm.dispose();
});

test("the token is kept from other hosts, and a message without a file is left in the queue", async () => {
  const foreign = queue([
    messageText("1", { DownloadLocation: "https://acct.blob.core.windows.net/q/f?blob=1&sig=s" }),
  ]);
  // The fake asserts that the token did not go along.
  assert.equal(await foreign.scm.queues.drain(ACTIVITY, () => {}), 1);
  foreign.scm.dispose();
  const gone = queue([messageText("1", { IsDownLoadFileExist: false, FileDownLoadErrorMessage: "Blob was deleted" })]);
  const error = await caught(gone.scm.queues.drain(ACTIVITY, () => assert.fail("it was handed over")));
  assert.equal(error.code, "SERVICE_ERROR");
  assert.match(error.message, /Blob was deleted/);
  assert.deepEqual(gone.acked, []);
  gone.scm.dispose();
});

test("what was handled is acknowledged although the caller gave up meanwhile", async () => {
  const stop = new AbortController();
  const { scm, acked, texts } = queue([messageText("1"), messageText("2")]);
  const draining = scm.queues.drain(ACTIVITY, () => stop.abort(), { signal: stop.signal });
  assert.equal((await caught(draining)).code, "ABORTED");
  assert.equal(acked.length, 1);
  assert.equal(texts.length, 1);
  scm.dispose();
});

test("a queue that can't be used says what to do", async () => {
  const { scm } = fakeService(({ path }) =>
    path.endsWith("LegalEntities") ? json({ value: [] }) : json({ Message: "no" }, 403),
  );
  const error = await caught(scm.queues.drain(ACTIVITY, () => {}));
  assert.equal(error.code, "FORBIDDEN");
  assert.match(error.hint, /authorization policy/);
  assert.equal((await caught(scm.queues.drain(ACTIVITY))).code, "INVALID_ARGUMENT");
  scm.dispose();
});
