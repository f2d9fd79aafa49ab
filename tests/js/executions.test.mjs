// Runs, against answers written by hand after the documentation of the package API.
import assert from "node:assert/strict";
import { test } from "node:test";
import { all, bytesOf, caught, ENVIRONMENT, fakeService, json, ranged, value } from "./fake-service.mjs";

const BLOB = "https://acct.blob.core.windows.net/dmf/errors.csv";

test("status, pages and messages of a run", async () => {
  const { scm, asked } = fakeService(({ action, body }) => {
    const id = JSON.parse(body).executionId;
    if (action === "GetExecutionSummaryStatus") {
      if (id === "gone") return json({ error: { code: "", message: "An error has occurred." } }, 400);
      return value(id === "odd" ? "Queued" : "PartiallySucceeded");
    }
    if (action === "GetExecutionSummaryPageUrl") return value(`${ENVIRONMENT}/?mi=DMFExecutionHistoryWorkspace`);
    if (action === "GetExportedPackageUrl") return value(id === "early" ? "" : `${BLOB}?sig=s`);
    if (action === "GetExecutionIdByMessageId") {
      return value(JSON.parse(body)._messageId === "new" ? "00000000-0000-0000-0000-000000000000" : "run-1");
    }
    assert.equal(action, "DeleteExecutionHistoryJob");
    return new Response(null, { status: 204 });
  });
  const { executions } = scm;
  assert.equal(await executions.status("run-1"), "PartiallySucceeded");
  assert.equal(await executions.status("odd"), "Unknown");
  assert.equal((await caught(executions.status("gone"))).code, "NOT_FOUND");
  assert.equal(await executions.pageUrl("run-1"), `${ENVIRONMENT}/?mi=DMFExecutionHistoryWorkspace`);
  assert.equal(await executions.packageUrl("run-1"), `${BLOB}?sig=s`);
  const early = await caught(executions.packageUrl("early"));
  assert.deepEqual([early.code, early.retryAfter], ["NOT_FOUND", 5000]);
  assert.equal(await executions.ofMessage("new"), undefined);
  assert.equal(await executions.ofMessage("old"), "run-1");
  assert.equal(await executions.delete("run-1"), undefined);
  const before = asked.length;
  assert.equal((await caught(executions.status(""))).code, "INVALID_ARGUMENT");
  assert.equal(asked.length, before, "nothing was sent");
  scm.dispose();
});

const row = (project, job, entity, began, more = {}) => ({
  DefinitionGroupId: project,
  JobId: job,
  EntityName: entity,
  StagingStatus: "Finished",
  TargetStatus: "Finished",
  StagingRecordsToBeProcessedCount: 5,
  StagingRecordsCreatedCount: 5,
  TargetRecordsCreatedCount: 3,
  TargetRecordsUpdatedCount: 1,
  StagingStartDateTime: began,
  TargetStartDateTime: "1900-01-01T00:00:00Z",
  ...more,
});

test("runs come newest first, over all pages, and of one project", async () => {
  const { scm, asked } = fakeService(({ query }) => {
    if (query.get("$skiptoken")) return json({ value: [row("In", "new", "Currencies", "2026-03-03T08:00:00Z")] });
    return json({
      value: [
        row("In", "old", "Vendors V2", "2026-03-02T10:00:00Z"),
        row("In", "old", "Sites V2", "2026-03-02T10:05:00Z"),
      ],
      "@odata.nextLink": `${ENVIRONMENT}/data/DataManagementExecutionJobDetails?$skiptoken=2`,
    });
  });
  const found = await all(scm.executions.list({ project: "In" }));
  assert.deepEqual(
    found.map(({ executionId, project, started, entities }) => [executionId, project, started, entities.length]),
    [
      ["new", "In", "2026-03-03T08:00:00Z", 1],
      ["old", "In", "2026-03-02T10:00:00Z", 2],
    ],
  );
  assert.deepEqual(found[0].entities[0], {
    entity: "Currencies",
    status: "Finished",
    created: 3,
    updated: 1,
    errors: 1,
  });
  assert.equal(asked[0].query.get("$filter"), "DefinitionGroupId eq 'In'");
  await all(scm.executions.list());
  assert.equal(asked[2].query.get("$filter"), null);
  assert.deepEqual(await scm.executions.summary("x"), [
    { entity: "Vendors V2", status: "Finished", created: 3, updated: 1, errors: 1 },
    { entity: "Sites V2", status: "Finished", created: 3, updated: 1, errors: 1 },
    { entity: "Currencies", status: "Finished", created: 3, updated: 1, errors: 1 },
  ]);
  scm.dispose();
});

test("reasons are read although the list in the text is no valid JSON", async () => {
  const text =
    '[{"RecordId":"C1","Field":"Name","ErrorMessage":"The value "x" is\nwrong"},{"RecordId":"C2","Field":"","ErrorMessage":"b"}]';
  const { scm } = fakeService(() => value(text));
  assert.deepEqual(await all(scm.executions.errors("run-1")), [
    { recordId: "C1", field: "Name", message: 'The value "x" is wrong' },
    { recordId: "C2", field: "", message: "b" },
  ]);
  scm.dispose();
});

/** 9 MiB, so that three ranges are needed. */
const LARGE = Buffer.alloc(9 * 1024 * 1024, "0123456789abcdef\n");

test("an error file is read range by range, without the token, and its signature is renewed", async () => {
  let signed = 0;
  const { scm, asked } = fakeService((request) => {
    if (request.action) {
      assert.equal(request.action, "GetImportStagingErrorFileUrl");
      assert.equal(request.body, '{"executionId":"run-1","entityName":"Vendors V2"}');
      signed += 1;
      return value(`${BLOB}?sig=${signed}`);
    }
    // The first signature is good for one range.
    if (request.url.endsWith("sig=1") && !request.headers.range.startsWith("bytes=0-"))
      return new Response("", { status: 403 });
    return ranged(LARGE, request);
  });
  const stream = await scm.executions.errorFile("run-1", "VendorsV2", "staging");
  assert.ok((await bytesOf(stream)).equals(LARGE));
  const ranges = asked
    .filter(({ action }) => !action)
    .map(({ headers, url }) => [headers.range, url.slice(-1), headers["if-match"]]);
  assert.deepEqual(ranges, [
    ["bytes=0-4194303", "1", undefined],
    ["bytes=4194304-8388607", "1", '"1"'],
    ["bytes=4194304-8388607", "2", '"1"'],
    ["bytes=8388608-9437183", "2", '"1"'],
  ]);
  scm.dispose();
});

test("a server that hides the size, knows no ranges, or has an empty file", async () => {
  let answer;
  const { scm, asked } = fakeService((request) => (request.action ? value(`${BLOB}?sig=1`) : answer(request)));
  const read = async () => bytesOf(await scm.executions.errorFile("run-1", "Sites V2", "staging"));
  for (const file of [LARGE, LARGE.subarray(0, 8 * 1024 * 1024), Buffer.from("a")]) {
    answer = (request) => ranged(file, request, { hideSize: true });
    assert.ok((await read()).equals(file), `${file.length} bytes`);
  }
  answer = () => new Response(LARGE);
  const before = asked.length;
  assert.ok((await read()).equals(LARGE));
  assert.equal(asked.length - before, 2);
  answer = (request) => ranged(Buffer.alloc(0), request);
  assert.equal((await read()).length, 0);
  scm.dispose();
});

test("the file of keys is written first, and where there are no errors nobody waits for it", async () => {
  let errors = true;
  const { scm, asked } = fakeService((request) => {
    if (request.action === "GenerateImportTargetErrorKeysFile") return value(errors);
    if (request.action === "GetImportTargetErrorKeysFileUrl") return value(asked.length < 3 ? "" : `${BLOB}?sig=1`);
    return ranged(Buffer.from("k1\r\n"), request);
  });
  assert.equal((await bytesOf(await scm.executions.errorFile("run-1", "Sites V2", "target"))).toString(), "k1\r\n");
  assert.deepEqual(
    asked.map(({ action }) => action),
    [
      "GenerateImportTargetErrorKeysFile",
      "GetImportTargetErrorKeysFileUrl",
      "GetImportTargetErrorKeysFileUrl",
      undefined,
    ],
  );
  errors = false;
  assert.equal(await scm.executions.errorFile("run-1", "Sites V2", "target"), undefined);
  assert.equal((await caught(scm.executions.errorFile("run-1", "Sites V2", "both"))).code, "INVALID_ARGUMENT");
  scm.dispose();
});

test("the caller and the end of the client stop a wait, and a file that changed is not patched together", async () => {
  let change = false;
  const { scm } = fakeService((request) => {
    if (request.action === "GenerateImportTargetErrorKeysFile") return value(true);
    if (request.action === "GetImportTargetErrorKeysFileUrl") return value("");
    if (request.action) return value(`${BLOB}?sig=1`);
    if (change && request.headers["if-match"]) return new Response("", { status: 412 });
    change = true;
    return ranged(LARGE, request);
  });
  const signal = AbortSignal.timeout(50);
  assert.equal((await caught(scm.executions.errorFile("run-1", "E", "target", { signal }))).code, "ABORTED");
  const stream = await scm.executions.errorFile("run-1", "E", "staging");
  assert.equal((await caught(bytesOf(stream))).code, "PRECONDITION_FAILED");
  const open = await scm.executions.errorFile("run-1", "E", "staging");
  scm.dispose();
  assert.equal((await caught(bytesOf(open))).code, "DISPOSED");
});
