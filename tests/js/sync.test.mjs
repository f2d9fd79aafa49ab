// Incremental synchronisation against the sandbox, whose markers move when an export runs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { choosePattern, init, memoryStore, ScmClient } from "d365-clm";
import { fileStore } from "d365-clm/node";
import { LEGAL_ENTITIES, sandboxed, sandboxMissing, startSandbox } from "./sandbox.mjs";

const poll = { interval: 100, max: 200 };
const skip = sandboxMissing();
const caught = (promise) =>
  promise.then(
    () => assert.fail("it succeeded"),
    (e) => e,
  );

test("the pattern is chosen in the module, and the reason names the rule", async () => {
  await init();
  assert.deepEqual(choosePattern({ entity: "VendorsV2", incremental: true }), {
    pattern: "package",
    reason: "incremental: change tracking works for packages only",
  });
  assert.equal(choosePattern({ entity: "CLMIntegrationContracts", realTime: true }).pattern, "odata");
  assert.throws(() => choosePattern({ realtime: true }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => choosePattern(), { code: "INVALID_ARGUMENT" });
});

test("options that can't be meant are refused before anything is sent", async () => {
  const scm = new ScmClient({
    baseUrl: "http://127.0.0.1:1",
    company: "usmf",
    fetch: () => assert.fail("it was sent"),
  });
  const store = memoryStore();
  assert.throws(() => scm.sync({ name: "n" }), { code: "INVALID_ARGUMENT" });
  for (const wrong of [
    { name: "a/b" },
    { name: "n", batchSize: 0 },
    { name: "n", entites: [] },
    { name: "n", entities: [{ entity: "VendorsV2", transport: "mail" }] },
    { name: "n", maxDeletes: { rows: -1 } },
  ]) {
    const next = scm
      .sync({ store, ...wrong })
      [Symbol.asyncIterator]()
      .next();
    assert.equal((await caught(next)).code, "INVALID_ARGUMENT", JSON.stringify(wrong));
  }
  const next = scm.sync({ store, name: "n", entities: [{ entity: "VendorsV2", select: ["Nmae"] }] });
  assert.equal((await caught(next[Symbol.asyncIterator]().next())).code, "UNKNOWN_PROPERTY");
});

describe("a sync with the sandbox", () => {
  let sandbox;
  let scm;
  let names = 0;
  const vendor = (dataAreaId, number, name = "first") => ({
    dataAreaId,
    VendorAccountNumber: `V${String(number).padStart(3, "0")}`,
    VendorOrganizationName: `${name} "${number}"\n契約`,
  });
  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({
      seed: {
        LegalEntities: LEGAL_ENTITIES,
        Currencies: ["EUR", "USD"].map((CurrencyCode) => ({ CurrencyCode, Name: CurrencyCode })),
      },
      settings: {
        changeTracking: { "Vendors V2": "ALL", Currencies: "PrimaryTable" },
        defaultCompany: "usmf",
      },
    });
    scm = new ScmClient({
      baseUrl: sandbox.baseUrl,
      company: "usmf",
      getToken: () => sandbox.token(),
      retry: { maxDelay: 10 },
    });
  });
  after(async () => {
    scm?.dispose();
    await sandbox?.stop();
  });

  const runsOf = async (name) =>
    (await sandbox.control("runs")).filter(({ projectname }) => projectname.includes(name));
  const load = (collection, rows) =>
    sandbox.control(`load/${encodeURIComponent(collection)}`, {
      method: "POST",
      body: rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
    });
  const fresh = () => {
    names += 1;
    return { name: `sync-${names}`, store: memoryStore(), poll };
  };

  /** One pass: what came, as [entity, company, mode, rows, last]; rows of all go into `into`. */
  async function pass(options, into = new Map()) {
    const told = [];
    for await (const { entity, company, mode, rows, deletedKeys, last, commit } of scm.sync(options)) {
      told.push([entity, company, mode, rows.length || -deletedKeys.length, last]);
      const key = (row) => [entity, row.dataAreaId, row.VendorAccountNumber ?? row.CurrencyCode].join("/");
      for (const row of rows) into.set(key(row), row);
      for (const row of deletedKeys) into.delete(key(row));
      await commit();
    }
    return told;
  }

  sandboxed("first all, then what changed: two companies, and a shared entity once", async () => {
    await load("VendorsV2", [...Array(5).keys()].map((i) => vendor("usmf", i)).concat(vendor("demf", 7)));
    const options = { ...fresh(), companies: ["USMF", "demf"], entities: ["VendorsV2", "Currencies"], batchSize: 2 };
    const rows = new Map();
    assert.deepEqual(await pass(options, rows), [
      ["Vendors V2", "USMF", "full", 2, false],
      ["Vendors V2", "USMF", "full", 2, false],
      ["Vendors V2", "USMF", "full", 1, true],
      ["Vendors V2", "demf", "full", 1, true],
      ["Currencies", undefined, "full", 2, true],
    ]);
    assert.equal(rows.get("Vendors V2/usmf/V003").VendorOrganizationName, 'first "3"\n契約');
    assert.equal(rows.get("Currencies//EUR").Name, "EUR");
    assert.deepEqual(await pass(options, rows), [], "nothing changed");
    await load("VendorsV2", [vendor("usmf", 1, "second"), vendor("usmf", 9, "new")]);
    await load("Currencies", [{ CurrencyCode: "SEK", Name: "krona" }]);
    assert.deepEqual(await pass(options, rows), [
      ["Vendors V2", "USMF", "incremental", 2, true],
      ["Currencies", undefined, "incremental", 1, true],
    ]);
    assert.equal(rows.get("Vendors V2/usmf/V001").VendorOrganizationName, 'second "1"\n契約');
    const status = await scm.sync(options).status();
    assert.deepEqual(
      status.map(({ entity, company, transport, phase, rows, pending }) => [
        entity,
        company,
        transport,
        phase,
        rows,
        pending,
      ]),
      [
        ["Vendors V2", "USMF", "package", "idle", 7, false],
        ["Vendors V2", "demf", "package", "idle", 1, false],
        ["Currencies", undefined, "package", "idle", 3, false],
      ],
    );
    assert.match(status[0].lastRun, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    await scm.sync(options).reset("VendorsV2");
    assert.deepEqual(
      (await pass(options)).map(([, company, mode]) => [company, mode]),
      [
        ["USMF", "full"],
        ["USMF", "full"],
        ["USMF", "full"],
        ["demf", "full"],
      ],
    );
  });

  sandboxed("what is not committed comes again, to another iteration too", async () => {
    await load(
      "VendorsV2",
      [...Array(4).keys()].map((i) => vendor("usmf", i)),
    );
    const options = { ...fresh(), entities: ["VendorsV2"], batchSize: 2 };
    let first;
    for await (const batch of scm.sync(options)) {
      first = batch;
      break;
    }
    for await (const batch of scm.sync(options)) {
      assert.equal(batch.id, first.id);
      assert.deepEqual(batch.rows, first.rows);
      await batch.commit();
      await batch.commit();
      break;
    }
    // The one that came first knows an older state: it is told so, and what it held is with the others.
    assert.equal((await caught(first.commit())).code, "CHECKPOINT_CONFLICT");
    const left = new Map();
    await pass(options, left);
    assert.ok(
      left.size >= 2 &&
        ![...left.values()].some((row) => row.VendorAccountNumber === first.rows[0].VendorAccountNumber),
    );
  });

  for (const moment of ["running", "handled"]) {
    sandboxed(`a process that dies (${moment}): another goes on with the same run`, async () => {
      await load(
        "VendorsV2",
        [...Array(6).keys()].map((i) => vendor("usmf", i)),
      );
      const folder = await mkdtemp(join(tmpdir(), "d365-clm-sync-"));
      try {
        const options = { name: fresh().name, poll, companies: ["usmf"], entities: ["VendorsV2"], batchSize: 2 };
        const { log, control, token, stop, ...about } = sandbox;
        const child = spawn(process.execPath, [
          fileURLToPath(new URL("sync-child.mjs", import.meta.url)),
          JSON.stringify({ about, options, folder, moment }),
        ]);
        let output = "";
        let errors = "";
        child.stdout.on("data", (data) => (output += data));
        child.stderr.on("data", (data) => (errors += data));
        assert.equal(await new Promise((resolve) => child.once("close", resolve)), 9, errors);
        // Changed while nobody was there, and when the run had read its rows: the marker has moved, this is for the run after it.
        while ((await runsOf(options.name)).some(({ status }) => status !== "Succeeded")) await sleep(20);
        await load("VendorsV2", [vendor("usmf", 0, "meanwhile")]);
        const batches = [];
        for await (const batch of scm.sync({ ...options, store: fileStore(folder) })) {
          batches.push(batch);
          await batch.commit();
        }
        if (moment === "handled") {
          const { id, rows } = JSON.parse(output);
          assert.equal(batches[0].id, id);
          assert.deepEqual(batches[0].rows, rows);
        }
        assert.equal(batches.at(-1).mode, "incremental");
        assert.equal(batches.at(-1).rows[0].VendorOrganizationName, 'meanwhile "0"\n契約');
        const runs = await runsOf(options.name);
        assert.deepEqual(
          runs.map(({ submissions }) => submissions),
          [1, 1],
        );
        assert.equal(batches[0].executionId, runs[0].executionId);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  sandboxed("an entity without change tracking is found before the first run", async () => {
    const before = (await sandbox.control("runs")).length;
    const options = { ...fresh(), entities: ["VendorsV2", "Units"] };
    const error = await caught(pass(options));
    assert.equal(error.code, "VALIDATION_FAILED");
    assert.match(error.message, /Units/);
    assert.match(error.hint, /Change tracking/);
    assert.equal((await sandbox.control("runs")).length, before);
    await load("UnitsOfMeasure", [{ UnitSymbol: "kg" }, { UnitSymbol: "pcs" }]);
    const compare = { ...options, entities: ["Units"], withoutTracking: "compare" };
    assert.deepEqual(await pass(compare), [["Units", undefined, "full", 2, true]]);
    await load("UnitsOfMeasure", [{ UnitSymbol: "t" }]);
    assert.deepEqual(await pass(compare), [["Units", undefined, "incremental", 1, true]]);
    const full = { ...fresh(), entities: ["Units"], withoutTracking: "full" };
    assert.deepEqual(await pass(full), [["Units", undefined, "full", 3, true]]);
    assert.deepEqual(await pass(full), [["Units", undefined, "full", 3, true]]);
  });

  sandboxed("deleted records are told by their keys, and a mass deletion is refused", async () => {
    const currencies = [...Array(30).keys()].map((i) => ({
      CurrencyCode: `C${String(i).padStart(2, "0")}`,
      Name: "n",
    }));
    await load("Currencies", currencies);
    const options = {
      ...fresh(),
      entities: ["Currencies"],
      deletes: "reconcile",
      reconcileEvery: 0,
      maxDeletes: { rows: 2 },
    };
    const rows = new Map();
    await pass(options, rows);
    const set = scm.entity("Currencies");
    for (const { CurrencyCode } of currencies.slice(0, 2)) await set.delete({ CurrencyCode });
    assert.deepEqual(await pass(options, rows), [["Currencies", undefined, "reconcile", -2, true]]);
    assert.equal(rows.has("Currencies//C00") || rows.has("Currencies//C01"), false);
    for (const { CurrencyCode } of currencies.slice(2, 5)) await set.delete({ CurrencyCode });
    const error = await caught(pass(options, rows));
    assert.equal(error.code, "RECONCILE_REFUSED");
    assert.deepEqual([error.result.missing, error.result.allowed], [3, 2]);
  });

  sandboxed("rows look the same by either transport, for every entity that both can read", async () => {
    const catalog = JSON.parse(await readFile(new URL("../../src/catalog/catalog.json", import.meta.url), "utf8"));
    const members = (type, own) => own ?? catalog.enums[type] ?? ["No", "Yes"];
    /** A value of the property for row i, or its empty one; keys are never empty. */
    const value = ({ name, type, members: own }, i, empty) => {
      switch (type) {
        case "Edm.String":
          return empty ? "" : `${name.slice(0, 8)} "${i}", é`;
        case "Edm.Int32":
          return empty ? 0 : i - 5;
        case "Edm.Int64":
          return empty ? 0 : i === 3 ? undefined : 4_000_000_000 + i;
        case "Edm.Decimal":
        case "Edm.Double":
          return empty ? 0 : i + 0.25;
        case "Edm.DateTimeOffset":
          return empty ? "1900-01-01T00:00:00Z" : `2026-02-${String(i + 1).padStart(2, "0")}T12:00:00Z`;
        case "Edm.Guid":
          return empty ? undefined : `0f8fad5b-d9cb-469f-a165-7086772895${String(i).padStart(2, "0")}`;
        case "Edm.Binary":
          return undefined;
        default: {
          const words = members(type, own);
          return empty ? words[0] : words[i % words.length];
        }
      }
    };
    const both = catalog.entities.filter(
      (e) => e.direction === "scmToClm" && e.collection && e.label !== "Legal entities",
    );
    assert.ok(both.length >= 15, `${both.length} entities`);
    for (const { collection, keys, properties } of both) {
      const rows = [...Array(20).keys()].map((i) =>
        Object.fromEntries(
          properties.map((property) => {
            const key = keys.includes(property.name);
            if (property.name === "dataAreaId") return ["dataAreaId", "demf"];
            return [property.name, value(property, i, !key && i % 2 === 0)];
          }),
        ),
      );
      await load(collection, rows);
    }
    const changeTracking = Object.fromEntries(both.map(({ label }) => [label, "ALL"]));
    await sandbox.control("settings", {
      method: "POST",
      body: JSON.stringify({ changeTracking, defaultCompany: "usmf" }),
    });
    const read = async (transport) => {
      const found = new Map(both.map(({ label }) => [label, new Map()]));
      const entities = both.map(({ label }) => ({ entity: label, transport }));
      for await (const batch of scm.sync({ ...fresh(), companies: ["demf"], entities })) {
        const { keys } = both.find(({ label }) => label === batch.entity);
        for (const row of batch.rows) found.get(batch.entity).set(keys.map((key) => row[key]).join("/"), row);
        await batch.commit();
      }
      return found;
    };
    const [byPackage, byOdata] = [await read("package"), await read("odata")];
    for (const { label, properties } of both) {
      const [one, other] = [byPackage.get(label), byOdata.get(label)];
      assert.ok(one.size >= 20, `${label}: ${one.size} rows`);
      assert.deepEqual(one, other, label);
      const [row] = one.values();
      assert.ok(
        Object.keys(row).length >= properties.length * 0.9,
        `${label}: ${Object.keys(row).length} of ${properties.length}`,
      );
    }
  });
});
