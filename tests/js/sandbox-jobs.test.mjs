// Imports and exports against the sandbox: what fails on the way, and what must not happen twice.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { fileURLToPath } from "node:url";
import { buildPackage, memoryStore, ScmClient } from "d365-clm";
import { LEGAL_ENTITIES, sandboxed, sandboxMissing, startSandbox } from "./sandbox.mjs";

const TYPES = "CLM integration contract types";
const CONTRACTS = "CLM integration contract";
const poll = { interval: 100, max: 200 };
const retry = { attempts: 5, maxDelay: 10 };
const gone = (code = "ECONNRESET") => Object.assign(new TypeError("fetch failed"), { cause: { code } });
const caught = (promise) =>
  promise.then(
    () => assert.fail("it succeeded"),
    (e) => e,
  );

/** Everything that reaches a host: searched for secrets at the end. */
const told = [];
const secrets = new Set();

const skip = sandboxMissing();

describe("jobs against the sandbox", () => {
  let sandbox;
  let number = 0;
  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({
      seed: {
        LegalEntities: LEGAL_ENTITIES,
        VendorsV2: Array.from({ length: 50 }, (_, i) => ({
          dataAreaId: "usmf",
          VendorAccountNumber: `V${String(i).padStart(3, "0")}`,
          VendorOrganizationName: `Größe "${i}"\n`,
        })),
      },
      settings: { changeTracking: { "Vendors V2": "ALL" }, defaultCompany: "usmf" },
    });
    secrets.add(sandbox.clientSecret).add(sandbox.unregisteredClientSecret);
    const scm = client();
    for (const company of ["USMF", "DEMF"]) {
      await scm.projects.ensure({
        name: `V-${company}`,
        operation: "Export",
        entities: [{ entity: "Vendors V2", refresh: "FullPush" }],
      });
    }
    scm.dispose();
  });
  after(() => sandbox?.stop());

  /** A client whose requests pass through `around(url, send)`. */
  function client(around = (_, send) => send()) {
    return new ScmClient({
      baseUrl: sandbox.baseUrl,
      company: "usmf",
      retry,
      getToken: async () => {
        const token = await sandbox.token();
        secrets.add(token.token);
        return token;
      },
      onEvent: (event) => told.push(JSON.stringify(event)),
      fetch: (url, init) => {
        const signature = new URL(url).searchParams.get("sig");
        if (signature) secrets.add(signature).add(encodeURIComponent(signature));
        return around(url, () => fetch(url, init), init);
      },
    });
  }
  const isAction = (url, name) => url.includes(`/Microsoft.Dynamics.DataEntities.${name}`);
  const isUpload = (_, init) => init?.method === "PUT";
  const isStatus = (url) => isAction(url, "GetExecutionSummaryStatus");

  /** A package with types and contracts of its own. */
  function source(count = 20, type) {
    number += 1;
    const Name = `T${number}`;
    return {
      name: `Import-${number}`,
      entities: [
        { entity: TYPES, rows: [{ Name, Description: "d" }], level: 1 },
        {
          entity: CONTRACTS,
          level: 2,
          rows: Array.from({ length: count }, (_, i) => ({
            ContractId: `${Name}-${i}`,
            ContractName: `Vertrag "${i}", 契約\n`,
            ContractType: typeof type === "function" ? type(i, Name) : (type ?? Name),
            EffectiveDate: new Date(Date.UTC(2026, 0, 1, 12)),
            ExpirationDate: new Date(Date.UTC(2027, 0, 1, 12)),
          })),
        },
      ],
    };
  }
  const contractsOf = async (scm, { entities }) => {
    const [{ ContractType }] = entities[1].rows;
    return scm.entity("CLMIntegrationContracts").count(`ContractType eq '${ContractType}'`, { company: "usmf" });
  };
  const runs = async (id) => (await sandbox.control("runs")).filter(({ executionId }) => executionId === id);

  /** Follows a job to its end, and notes all that it tells. */
  async function follow(job) {
    try {
      for await (const event of job) told.push(JSON.stringify(event));
    } catch {
      // done() throws it again.
    }
    return job.done().catch((e) => {
      told.push(JSON.stringify(e), e.stack);
      throw e;
    });
  }
  const note = (checkpoint) => {
    told.push(JSON.stringify(checkpoint));
  };

  sandboxed("an import arrives, and tells of itself on the way", async () => {
    const scm = client();
    const spec = source();
    const stages = [];
    const progress = [];
    const checkpoints = [];
    const job = scm.importPackage(spec, {
      project: spec.name,
      executionId: `mine-${number}`,
      poll,
      onProgress: (p) => progress.push(p),
      onCheckpoint: (c) => checkpoints.push(c),
    });
    assert.equal(job.id, `mine-${number}`);
    for await (const { stage } of job) if (stages.at(-1) !== stage) stages.push(stage);
    const result = await job.done();
    assert.equal(result.status, "Succeeded");
    assert.equal(result.executionId, job.id);
    // The service tells them in an order of its own.
    assert.deepEqual(result.entities.map(({ entity, created, updated }) => [entity, created, updated]).sort(), [
      [TYPES, 1, 0],
      [CONTRACTS, 20, 0],
    ]);
    assert.equal(result.rejectedCount, 0);
    assert.deepEqual(stages.slice(0, 3), ["upload", "submit", "running"]);
    assert.deepEqual(
      checkpoints.map(({ kind, stage, executionId }) => [kind, stage, executionId]),
      [
        ["import", "planned", job.id],
        ["import", "submitting", job.id],
        ["import", "running", job.id],
      ],
    );
    assert.deepEqual(job.checkpoint(), checkpoints[2]);
    assert.ok(progress.some(({ stage, unit }) => stage === "upload" && unit === "bytes"));
    assert.equal(await contractsOf(scm, spec), 20);
  });

  sandboxed("the calls of several jobs take turns, their runs overlap", async () => {
    let calling = 0;
    const scm = client(async (url, send) => {
      const call = /\.(ImportFromPackage|ExportToPackage)$/.test(url);
      if (call) {
        calling += 1;
        assert.equal(calling, 1, "two calls at the same time");
      }
      const response = await send();
      if (call) {
        await new Promise((resolve) => setTimeout(resolve, 30));
        calling -= 1;
      }
      return response;
    });
    const specs = [source(1), source(1), source(1)];
    const imports = specs.map((spec) => scm.importPackage(spec, { project: spec.name, poll }));
    const exported = scm.exportPackage({ project: "V-USMF", poll });
    for (const job of imports) assert.equal((await job.done()).status, "Succeeded");
    (await exported.done()).package.dispose();
  });

  sandboxed("a job in a store goes on in another client, and is never begun twice", async () => {
    const store = memoryStore();
    const spec = source(2);
    const stop = new AbortController();
    const stopped = client((url, send) => {
      if (url.endsWith("GetExecutionSummaryStatus")) stop.abort();
      return send();
    }).importPackage(() => spec, { project: spec.name, poll, store, key: "mine", signal: stop.signal });
    assert.equal((await caught(stopped.done())).code, "ABORTED");
    const again = client().importPackage(() => spec, { project: spec.name, poll, store, key: "mine" });
    assert.equal((await caught(again.done())).code, "CHECKPOINT_CONFLICT");
    const { value } = await store.load("mine");
    const checkpoint = JSON.parse(value);
    assert.equal(checkpoint.stage, "running");
    const resumed = client().resume(checkpoint, { store, key: "mine", poll });
    assert.equal((await resumed.done()).status, "Succeeded");
  });

  sandboxed("a failed import is JOB_FAILED with the service's reason", async () => {
    const spec = source(3, "NOPE");
    spec.entities.shift();
    const error = await caught(follow(client().importPackage(spec, { project: spec.name, poll })));
    assert.equal(error.code, "JOB_FAILED");
    assert.match(error.message + JSON.stringify(error.result), /Contract type NOPE was not found/);
    assert.equal(error.result.status, "Failed");
    assert.equal(error.result.rejectedCount, 3);
  });

  sandboxed("rows that the service refuses are counted, with reasons", async () => {
    const spec = source(4, (i, name) => (i === 2 ? "NOPE" : name));
    const result = await follow(client().importPackage(spec, { project: spec.name, poll }));
    assert.equal(result.status, "PartiallySucceeded");
    assert.equal(result.rejectedCount, 1);
    assert.match(result.errors[0].message, /Contract type NOPE was not found/);
    const rejected = [];
    for await (const one of result.rejected()) rejected.push(one);
    assert.equal(rejected.length, 1);
    assert.equal(rejected[0].entity, "CLM integration contract");
    assert.equal(rejected[0].reason, result.errors[0].message);
    assert.ok(rejected[0].key, "the record is named by its key");
    assert.equal(rejected[0].line, 3);
    assert.equal(rejected[0].row.CONTRACTID, spec.entities[1].rows[2].ContractId);
    assert.equal(rejected[0].row.CONTRACTNAME, spec.entities[1].rows[2].ContractName);
    assert.equal(rejected[0].row.CONTRACTTYPE, "NOPE");
  });

  const all = async (items) => {
    const list = [];
    for await (const item of items) list.push(item);
    return list;
  };

  sandboxed(
    "rejected rows are joined to any source that can be read again, and else come without their rows",
    async () => {
      const spec = () => source(5, (i, name) => (i % 2 === 1 ? "NOPE" : name));
      const bytes = await buildPackage(spec());
      const sources = [
        [bytes, true],
        [new Blob([await buildPackage(spec())]), true],
        [(given) => () => given, true],
        [new Blob([await buildPackage(spec())]).stream(), false],
      ];
      for (const [given, known] of sources) {
        const one = typeof given === "function" ? given(spec()) : given;
        const project = "CLM-Rejected";
        const result = await follow(client().importPackage(one, { project, poll }));
        const rejected = await all(result.rejected());
        assert.equal(rejected.length, 2);
        assert.deepEqual(
          rejected.map(({ line, row }) => [line, row?.CONTRACTTYPE]),
          known
            ? [
                [2, "NOPE"],
                [4, "NOPE"],
              ]
            : [
                [undefined, undefined],
                [undefined, undefined],
              ],
        );
        for (const { reason, key } of rejected) assert.match(`${reason} ${key}`, /NOPE was not found.* T\d+-[13]/);
        assert.deepEqual(await all(result.rejected()), rejected, "it may be called again");
      }
    },
  );

  sandboxed("a failed run tells its rows too, and what staging refused comes as it was sent", async () => {
    const spec = source(3, "NOPE");
    spec.entities.shift();
    const error = await caught(follow(client().importPackage(spec, { project: spec.name, poll })));
    const rejected = await all(error.result.rejected());
    assert.deepEqual(
      rejected.map(({ row }) => row.CONTRACTID),
      spec.entities[0].rows.map(({ ContractId }) => ContractId),
    );
    assert.doesNotMatch(JSON.stringify(error), /function/);

    const wrong = source(4);
    wrong.entities[1].rows[1].EffectiveDate = "no date";
    const result = await follow(client().importPackage(wrong, { project: wrong.name, poll }));
    assert.equal(result.rejectedCount, 1);
    const [one, ...more] = await all(result.rejected());
    assert.equal(more.length, 0, JSON.stringify(more));
    assert.equal(one.row.CONTRACTID, wrong.entities[1].rows[1].ContractId);
    assert.equal(one.row.EFFECTIVEDATE, "no date");
  });

  sandboxed("entities are exported by a project that is kept for their list", async () => {
    const scm = client();
    const names = new Set();
    for (const entities of [
      ["VendorsV2", "Currencies"],
      [{ entity: "Currencies" }, "VendorsV2"],
    ]) {
      const result = await follow(scm.exportPackage({ entities, company: "usmf", poll }));
      assert.equal((await all(result.package.entity("VendorsV2").rows())).length, 50);
      names.add(result.package.name);
      result.package.dispose();
    }
    assert.equal(names.size, 1);
    const [name] = names;
    assert.match(name, /^CLM-Export-[0-9a-f]{16}$/);
    const { entities } = await scm.projects.get(name);
    assert.deepEqual(entities.map(({ entity }) => entity).sort(), ["Currencies", "Vendors V2"]);
    for (const options of [{}, { project: name, entities: ["VendorsV2"] }, { entities: [] }, { entities: [1] }]) {
      assert.equal((await caught(follow(scm.exportPackage({ ...options, poll })))).code, "INVALID_ARGUMENT");
    }
  });

  sandboxed("a project handed over whole is ensured before it is exported", async () => {
    const project = { name: "CLM-Whole-Project", operation: "Export", entities: [{ entity: "VendorsV2" }] };
    const result = await follow(client().exportPackage({ project, company: "usmf", poll }));
    assert.equal(result.package.name, project.name);
    let rows = 0;
    for await (const _ of result.package.entity("VendorsV2").rows()) rows += 1;
    assert.equal(rows, 50);
    result.package.dispose();
    const twin = { ...project, operation: "Import" };
    const error = await caught(follow(client().exportPackage({ project: twin, company: "usmf", poll })));
    assert.equal(error.code, "CONFLICT");
  });

  sandboxed("what the service would refuse is refused before anything is sent", async () => {
    const sent = [];
    const scm = client((url, send) => {
      sent.push(url);
      return send();
    });
    const garbage = await caught(follow(scm.importPackage(new Uint8Array(100), { project: "P" })));
    assert.equal(garbage.code, "NOT_A_PACKAGE");
    const row = await caught(
      follow(
        scm.importPackage(
          { name: "P", entities: [{ entity: TYPES, rows: [{ Name: "a" }, { Nmae: "b" }] }] },
          { project: "P" },
        ),
      ),
    );
    assert.deepEqual([row.code, row.at.line, row.at.column], ["INVALID_ARGUMENT", 2, "Nmae"]);
    const option = await caught(follow(scm.exportPackage({ project: "V-USMF", pol: {} })));
    assert.equal(option.code, "INVALID_ARGUMENT");
    assert.deepEqual(sent, []);
  });

  sandboxed("a checkpoint that can't be kept stops the job before it sends", async () => {
    const sent = [];
    const scm = client((url, send) => {
      sent.push(url);
      return send();
    });
    const spec = source(1);
    const cause = new Error("disk full");
    const job = scm.importPackage(spec, {
      project: spec.name,
      poll,
      onCheckpoint: ({ stage }) => {
        if (stage === "submitting") throw cause;
      },
    });
    const error = await caught(follow(job));
    assert.equal(error.code, "ABORTED");
    assert.equal(error.cause, cause);
    assert.equal(sent.filter((url) => isAction(url, "ImportFromPackage")).length, 0);
    assert.deepEqual(await runs(job.id), []);
  });

  sandboxed("the network gone during upload and polling is waited out", async () => {
    const counts = { upload: 0, status: 0 };
    const scm = client(async (url, send, init) => {
      if (isUpload(url, init)) {
        counts.upload += 1;
        // First nothing arrives, then it arrives and the answer is lost.
        if (counts.upload === 1) throw gone();
        if (counts.upload === 2) {
          await send();
          throw gone();
        }
      }
      if (isStatus(url)) {
        counts.status += 1;
        if (counts.status % 2) throw gone(counts.status === 1 ? "ECONNREFUSED" : "ECONNRESET");
      }
      return send();
    });
    const spec = source();
    const job = scm.importPackage(spec, { project: spec.name, poll });
    assert.equal((await follow(job)).status, "Succeeded");
    assert.equal(counts.upload, 3);
    assert.ok(counts.status >= 2);
    assert.equal((await runs(job.id))[0].submissions, 1);
    assert.equal(await contractsOf(scm, spec), 20);
  });

  sandboxed("the answer to the submission is lost: the run is found, and never submitted again", async () => {
    const lose = (action) => {
      const sent = [];
      const scm = client(async (url, send) => {
        if (!isAction(url, action)) return send();
        sent.push(url);
        await (await send()).text();
        throw gone();
      });
      return { sent, scm };
    };
    const importing = lose("ImportFromPackage");
    const spec = source();
    const job = importing.scm.importPackage(spec, { project: spec.name, poll });
    assert.equal((await follow(job)).status, "Succeeded");
    assert.equal(importing.sent.length, 1);
    assert.deepEqual(
      (await runs(job.id)).map(({ submissions }) => submissions),
      [1],
    );
    assert.equal(await contractsOf(importing.scm, spec), 20);

    const exporting = lose("ExportToPackage");
    const out = exporting.scm.exportPackage({ project: "V-USMF", poll });
    const { package: opened } = await follow(out);
    const rows = [];
    for await (const row of opened.entity("VendorsV2").rows()) rows.push(row.VENDORORGANIZATIONNAME);
    assert.equal(rows.length, 50);
    assert.equal(rows[7], 'Größe "7"\n');
    assert.equal(exporting.sent.length, 1);
    assert.deepEqual(
      (await runs(out.id)).map(({ submissions }) => submissions),
      [1],
    );
  });

  sandboxed(
    "the submission itself is lost: after the grace the outcome is unknown, and nothing was sent again",
    async () => {
      let sent = 0;
      const scm = client((url, send) => {
        if (!isAction(url, "ImportFromPackage")) return send();
        sent += 1;
        throw gone();
      });
      const spec = source(1);
      const job = scm.importPackage(spec, { project: spec.name, poll, outcomeGrace: 600 });
      const error = await caught(follow(job));
      assert.equal(error.code, "OUTCOME_UNKNOWN");
      assert.ok(error.hint);
      assert.equal(sent, 1);
      assert.deepEqual(await runs(job.id), []);
    },
  );

  sandboxed("a submission that surely did not leave is sent again", async () => {
    let tries = 0;
    const scm = client((url, send) => {
      if (!isAction(url, "ImportFromPackage")) return send();
      tries += 1;
      if (tries < 3) throw gone("ECONNREFUSED");
      return send();
    });
    const spec = source(1);
    const job = scm.importPackage(spec, { project: spec.name, poll });
    assert.equal((await follow(job)).status, "Succeeded");
    assert.equal(tries, 3);
    assert.equal((await runs(job.id))[0].submissions, 1);
  });

  sandboxed("a token that expires in the middle of a job is renewed", async () => {
    let refused = 0;
    const scm = client((url, send) => {
      if (!isStatus(url) || refused > 0) return send();
      refused += 1;
      return Promise.resolve(new Response("", { status: 401 }));
    });
    const spec = source(1);
    assert.equal((await follow(scm.importPackage(spec, { project: spec.name, poll }))).status, "Succeeded");
    assert.equal(refused, 1);
  });

  sandboxed("a signal stops our side; the run goes on, and resuming finds its end", async () => {
    const scm = client();
    const spec = source();
    const controller = new AbortController();
    let last;
    const job = scm.importPackage(spec, {
      project: spec.name,
      poll,
      signal: controller.signal,
      onCheckpoint: (checkpoint) => {
        last = checkpoint;
        if (checkpoint.stage === "running") controller.abort("enough");
      },
    });
    const error = await caught(follow(job));
    assert.deepEqual([error.code, error.cause], ["ABORTED", "enough"]);
    const result = await follow(scm.resume(JSON.parse(JSON.stringify(last)), { poll, onCheckpoint: note }));
    assert.equal(result.status, "Succeeded");
    assert.equal((await runs(job.id))[0].submissions, 1);
    assert.equal(await contractsOf(scm, spec), 20);
  });

  sandboxed("a checkpoint is for its environment, its kind and its source", async () => {
    const scm = client();
    const spec = source(1);
    let planned;
    const job = scm.importPackage(spec, {
      project: spec.name,
      onCheckpoint: (checkpoint) => {
        planned = checkpoint;
        throw new Error("stop");
      },
    });
    await caught(job.done());
    const code = async (checkpoint, options) => (await caught(follow(scm.resume(checkpoint, options)))).code;
    assert.equal(await code(planned, {}), "SOURCE_REQUIRED");
    assert.equal(await code(planned, { source: await buildPackage(source(2)) }), "SOURCE_CHANGED");
    assert.equal(await code({ ...planned, environment: "https://d.example" }, { source: spec }), "CHECKPOINT_INVALID");
    assert.equal(await code({ ...planned, version: 99 }, { source: spec }), "CHECKPOINT_INVALID");
    for (const none of [undefined, {}, { kind: "other", executionId: "E" }]) {
      assert.throws(() => scm.resume(none), { code: "CHECKPOINT_INVALID" });
    }
    const done = await follow(scm.resume(planned, { source: spec, poll }));
    assert.equal(done.status, "Succeeded");
    assert.equal(done.executionId, job.id);
  });

  describe("a process that dies", () => {
    let folder;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "d365-clm-jobs-"));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    async function die(kind, stage, moment, spec, options) {
      const file = join(folder, `${kind}-${stage}-${moment}.json`);
      const { log, control, token, stop, ...about } = sandbox;
      const order = { about, kind, source: spec, options, stage, moment, file };
      const child = spawn(process.execPath, [
        fileURLToPath(new URL("job-child.mjs", import.meta.url)),
        JSON.stringify(order),
      ]);
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
      const code = await new Promise((resolve) => child.once("exit", resolve));
      told.push(output);
      assert.equal(code, 9, `it did not die at ${stage}: ${output}`);
      const checkpoint = JSON.parse(await readFile(file, "utf8"));
      assert.equal(checkpoint.stage, stage);
      note(checkpoint);
      return checkpoint;
    }

    // Dates become texts on the way to the other process: the same in both.
    const plain = (spec) => JSON.parse(JSON.stringify(spec));

    for (const stage of ["planned", "submitting", "running"]) {
      for (const moment of ["inside", "after"]) {
        // Nothing was sent after this checkpoint, and nobody can know that.
        const unknown = stage === "submitting" && moment === "inside";
        sandboxed(
          `import, ${moment} the checkpoint "${stage}": ${unknown ? "the outcome is unknown" : "another goes on"}`,
          async () => {
            const spec = plain(source());
            const options = { project: spec.name, company: "usmf", poll };
            const checkpoint = await die("import", stage, moment, spec, options);
            const scm = client();
            const job = scm.resume(checkpoint, { source: spec, poll, outcomeGrace: unknown ? 600 : 10_000 });
            if (unknown) {
              assert.equal((await caught(follow(job))).code, "OUTCOME_UNKNOWN");
              assert.deepEqual(await runs(job.id), []);
              return;
            }
            assert.equal((await follow(job)).status, "Succeeded");
            assert.deepEqual(
              (await runs(job.id)).map(({ submissions }) => submissions),
              [1],
            );
            assert.equal(await contractsOf(scm, spec), 20);
          },
        );
      }
    }

    for (const [stage, moment] of [
      ["submitting", "after"],
      ["running", "inside"],
      ["running", "after"],
    ]) {
      sandboxed(`export, ${moment} the checkpoint "${stage}": another goes on, with all rows`, async () => {
        const checkpoint = await die("export", stage, moment, undefined, { project: "V-USMF", company: "usmf", poll });
        const { package: opened } = await follow(client().resume(checkpoint, { poll, outcomeGrace: 10_000 }));
        let rows = 0;
        for await (const _ of opened.entity("Vendors V2").rows()) rows += 1;
        assert.equal(rows, 50);
        assert.deepEqual(
          (await runs(checkpoint.executionId)).map(({ submissions }) => submissions),
          [1],
        );
      });
    }
  });

  sandboxed("no secret is in anything that was told", () => {
    const text = told.join("\n");
    assert.ok(text.length > 10_000 && secrets.size > 10, "too little was collected to mean anything");
    for (const secret of secrets) assert.equal(text.includes(secret), false, `${secret.slice(0, 4)}… was told`);
    assert.equal(/[?&]sig=(?!…|<|REDACTED)[^&\s"]{8}/i.test(text), false, "a signature was told");
  });
});
