// Jobs as JavaScript sees them, with a stand-in for what the module does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ClmError, memoryStore } from "d365-clm";
import { RunningJob, randomId } from "../../pkg/dist/job.js";
import { Reporter } from "../../pkg/dist/run.js";

const point = (stage) => ({ version: 1, kind: "import", executionId: "E", stage });

test("the id is known at once, events come from the beginning, and end with the job", async () => {
  const job = new RunningJob("E", {}, memoryStore(), async ({ onEvent }) => {
    onEvent('{"stage":"upload","progress":{"done":5,"total":9,"unit":"bytes"}}');
    await sleep(5);
    onEvent('{"stage":"running","status":"Executing"}');
    return 42;
  });
  assert.equal(job.id, "E");
  assert.equal(await job.done(), 42);
  const events = [];
  for await (const event of job) events.push(event);
  assert.deepEqual(events, [
    { stage: "upload", progress: { stage: "upload", done: 5, total: 9, unit: "bytes" } },
    { stage: "running", status: "Executing" },
  ]);
  const again = [];
  for await (const { stage } of job) again.push(stage);
  assert.deepEqual(again, ["upload", "running"]);
});

test("events wait for the job, and throw what it throws", async () => {
  const job = new RunningJob("E", {}, memoryStore(), async ({ onEvent }) => {
    await sleep(5);
    onEvent('{"stage":"running"}');
    await sleep(5);
    throw new ClmError("JOB_FAILED", "no");
  });
  const stages = [];
  await assert.rejects(
    async () => {
      for await (const { stage } of job) stages.push(stage);
    },
    { code: "JOB_FAILED" },
  );
  assert.deepEqual(stages, ["running"]);
  await assert.rejects(job.done(), { code: "JOB_FAILED" });
});

test("a failure that nobody awaits is not an unhandled rejection", async () => {
  const unhandled = [];
  const note = (reason) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  new RunningJob("E", {}, memoryStore(), async () => {
    throw new Error("no");
  });
  await sleep(20);
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

test("the checkpoint is the last one that was made durable", async () => {
  const saved = [];
  let refuse = false;
  const onCheckpoint = async (checkpoint) => {
    await sleep(2);
    if (refuse) throw new Error("disk full");
    saved.push(checkpoint);
  };
  const job = new RunningJob("E", { onCheckpoint }, memoryStore(), async (hooks) => {
    await hooks.onCheckpoint(JSON.stringify(point("planned")));
    refuse = true;
    await assert.rejects(hooks.onCheckpoint(JSON.stringify(point("submitting"))), { message: "disk full" });
  });
  assert.throws(() => job.checkpoint(), { code: "CHECKPOINT_INVALID" });
  await job.done();
  assert.deepEqual(saved, [point("planned")]);
  assert.deepEqual(job.checkpoint(), point("planned"));
});

test("cancel stops it and waits; the caller's signal does the same", async () => {
  const untilAborted = (_, signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const job = new RunningJob("E", {}, memoryStore(), untilAborted);
  await sleep(1);
  await job.cancel();
  await assert.rejects(job.done(), { code: "ABORTED" });
  await job.cancel();

  const controller = new AbortController();
  controller.abort("before");
  let begun = false;
  const never = new RunningJob("E", { signal: controller.signal }, memoryStore(), async () => {
    begun = true;
  });
  await assert.rejects(never.done(), (e) => e.code === "ABORTED" && e.cause === "before");
  assert.equal(begun, false);
});

test("a panic carries the last checkpoint", async () => {
  const job = new RunningJob("E", {}, memoryStore(), async (hooks) => {
    await hooks.onCheckpoint(JSON.stringify(point("running")));
    throw new ClmError("INTERNAL_PANIC", "bug", { hint: "report" });
  });
  await assert.rejects(job.done(), { code: "INTERNAL_PANIC", hint: "report", result: point("running") });
});

test("a listener sees the last 1,000 events", async () => {
  const job = new RunningJob("E", {}, memoryStore(), async ({ onEvent }) => {
    for (let i = 0; i < 1200; i++) onEvent(JSON.stringify({ stage: "running", executionId: String(i) }));
  });
  await job.done();
  const ids = [];
  for await (const { executionId } of job) ids.push(executionId);
  assert.equal(ids.length, 1000);
  assert.equal(ids[0], "200");
});

test("progress comes at most every 50 ms, but the last always; what it throws is ignored", (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const seen = [];
  const reporter = new Reporter(({ done }) => {
    seen.push(done);
    throw new Error("display");
  });
  for (let done = 1; done <= 200; done++) {
    now += 10;
    reporter.report({ stage: "s", done, unit: "rows" });
  }
  reporter.report({ stage: "s", done: 201, unit: "rows" }, true);
  // 2 s of work: one at the start, then one every 50 ms, and the last.
  assert.equal(seen.length, 41);
  assert.equal(seen.at(-1), 201);
});

test("ids are UUIDs of version 4, each another", () => {
  const ids = new Set(Array.from({ length: 100 }, randomId));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a store holds the checkpoint, and refuses a second job under its key", async () => {
  const store = memoryStore();
  const save = async (hooks) => {
    await hooks.onCheckpoint(JSON.stringify(point("planned")));
    await hooks.onCheckpoint(JSON.stringify(point("submitting")));
  };
  await new RunningJob("E", { store }, memoryStore(), save).done();
  assert.deepEqual(JSON.parse((await store.load("job/E")).value), point("submitting"));
  const second = new RunningJob("E", { store }, memoryStore(), () => assert.fail("it must not start"));
  await assert.rejects(second.done(), { code: "CHECKPOINT_CONFLICT" });
  const stale = new RunningJob("E", { store }, memoryStore(), () => assert.fail("it must not start"), point("planned"));
  await assert.rejects(stale.done(), { code: "CHECKPOINT_CONFLICT" }, "the store is further than this checkpoint");
  const { stage, ...rest } = point("submitting");
  await new RunningJob("E", { store }, memoryStore(), save, { stage, ...rest }).done();
});

test("of two workers that resume one checkpoint the second is stopped by the store", async () => {
  const store = memoryStore();
  await store.save("mine", JSON.stringify(point("planned")));
  let go;
  const both = new Promise((resolve) => {
    go = resolve;
  });
  const worker = () =>
    new RunningJob(
      "E",
      { store, key: "mine" },
      memoryStore(),
      async (hooks) => {
        await both;
        await hooks.onCheckpoint(JSON.stringify(point("submitting")));
        return "submitted";
      },
      point("planned"),
    );
  const workers = [worker(), worker()];
  await new Promise((resolve) => setTimeout(resolve, 10));
  go();
  const outcomes = await Promise.allSettled(workers.map((job) => job.done()));
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.equal(outcomes.find(({ reason }) => reason).reason.code, "CHECKPOINT_CONFLICT");
});
