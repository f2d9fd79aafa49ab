// Data projects and runs against the sandbox.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { ScmClient } from "d365-clm";
import { all, bytesOf, caught } from "./fake-service.mjs";
import { LEGAL_ENTITIES, sandboxed, sandboxMissing, startSandbox } from "./sandbox.mjs";

const TYPES = "CLM integration contract types";
const CONTRACTS = "CLM integration contract";
const poll = { interval: 100, max: 200 };
const skip = sandboxMissing();

describe("projects and runs against the sandbox", () => {
  let sandbox;
  let scm;
  before(async () => {
    if (skip) return;
    sandbox = await startSandbox({
      seed: {
        LegalEntities: LEGAL_ENTITIES,
        Currencies: ["EUR", "USD"].map((CurrencyCode) => ({ CurrencyCode, Name: CurrencyCode })),
      },
      settings: { changeTracking: { Currencies: "ALL" }, defaultCompany: "usmf" },
    });
    scm = new ScmClient({ baseUrl: sandbox.baseUrl, company: "usmf", getToken: () => sandbox.token() });
  });
  after(async () => {
    scm?.dispose();
    await sandbox?.stop();
  });

  sandboxed("a project is made, read, corrected exactly, and deleted", async () => {
    const { projects } = scm;
    const name = "CLM Out/In & more";
    assert.equal(await projects.get(name), undefined);
    const project = {
      name,
      operation: "Import",
      entities: [{ entity: "CLMIntegrationContracts" }, { entity: "CLMIntegrationContractTypes" }],
    };
    assert.equal((await projects.ensure(project)).created, true);
    const got = await projects.get(name);
    assert.deepEqual(got.entities.map(({ entity, level }) => [entity, level]).sort(), [
      [TYPES, 1],
      [CONTRACTS, 2],
    ]);
    assert.deepEqual(await projects.ensure(got), { created: false, changed: [] });
    assert.deepEqual(
      (await all(projects.list())).map((project) => project.name),
      [name],
    );
    const fewer = { ...project, entities: [{ entity: TYPES }] };
    assert.deepEqual(await projects.ensure(fewer), { created: false, changed: [] });
    assert.deepEqual((await projects.ensure(fewer, { exact: true })).changed, [`${CONTRACTS} (deleted)`]);
    await projects.delete(name);
    await projects.delete(name);
    assert.equal(await projects.get(name), undefined);
  });

  sandboxed("a marker that was reset lets the next export be full", async () => {
    const project = {
      name: "CLM-Delta",
      operation: "Export",
      entities: [{ entity: "Currencies", refresh: "IncrementalPush" }],
    };
    await scm.projects.ensure(project);
    const rows = async () => {
      const result = await scm.exportPackage({ project: project.name, poll }).done();
      try {
        return (await all(result.package.entity("Currencies").rows())).length;
      } finally {
        result.package.dispose();
      }
    };
    assert.equal(await rows(), 2);
    assert.equal(await rows(), 0);
    assert.equal(await scm.projects.resetTracking(project.name, "Currencies"), true);
    assert.equal(await rows(), 2);
  });

  sandboxed("a project made by hand runs by its name and stays as it is", async () => {
    const lines = scm.entity("DataManagementDefinitionGroupDetails");
    await scm.entity("DataManagementDefinitionGroups").create({
      Name: "By hand",
      OperationType: "Export",
      ProjectCategory: "Project",
    });
    await lines.create({
      DefinitionGroupId: "By hand",
      EntityName: "Currencies",
      SourceFormat: "CSV-Unicode",
      ExecutionUnit: 4,
      LevelInExecutionUnit: 3,
      SequenceInLevel: 2,
      AutoGenerateMapping: "Yes",
    });
    const before = await all(lines.list({ filter: "DefinitionGroupId eq 'By hand'" }));
    const result = await scm.exportPackage({ project: "By hand", poll }).done();
    assert.equal((await all(result.package.entity("Currencies").rows())).length, 2);
    result.package.dispose();
    const url = await scm.executions.packageUrl(result.executionId);
    assert.equal((await fetch(url)).status, 200);
    assert.deepEqual(await all(lines.list({ filter: "DefinitionGroupId eq 'By hand'" })), before);
  });

  sandboxed("a run that failed in part tells its rows, and is deleted", async () => {
    const source = {
      name: "CLM-In",
      entities: [
        { entity: TYPES, rows: [{ Name: "NDA", Description: "d" }], level: 1 },
        {
          entity: CONTRACTS,
          level: 2,
          rows: ["NDA", "missing", "NDA"].map((ContractType, i) => ({
            ContractId: `C${i}`,
            ContractName: "n",
            ContractType,
          })),
        },
      ],
    };
    const executionId = "run-by-hand";
    const result = await scm.importPackage(source, { project: "CLM-In", executionId, poll }).done();
    assert.equal(result.status, "PartiallySucceeded");
    const { executions } = scm;
    assert.equal(await executions.status(executionId), "PartiallySucceeded");
    const [run] = await all(executions.list({ project: "CLM-In" }));
    assert.equal(run.executionId, executionId);
    assert.ok(run.started);
    const summary = await executions.summary(executionId);
    const counts = Object.fromEntries(summary.map(({ entity, created, errors }) => [entity, [created, errors]]));
    assert.deepEqual(counts, { [TYPES]: [1, 0], [CONTRACTS]: [2, 1] });
    assert.deepEqual(run.entities.map(({ entity }) => entity).sort(), summary.map(({ entity }) => entity).sort());
    const errors = await all(executions.errors(executionId));
    assert.ok(errors.length >= 1 && errors.every(({ recordId }) => recordId.includes("C1")));
    const keys = await executions.errorFile(executionId, "CLMIntegrationContracts", "target");
    const text = (await bytesOf(keys)).toString("utf16le");
    assert.match(text, /C1/);
    assert.doesNotMatch(text, /C0|C2/);
    assert.equal(await executions.errorFile(executionId, TYPES, "target"), undefined);
    assert.equal(await executions.errorFile(executionId, CONTRACTS, "staging"), undefined);
    assert.match(await executions.pageUrl(executionId), /^http/);
    await executions.delete(executionId);
    assert.equal((await caught(executions.status(executionId))).code, "NOT_FOUND");
    assert.deepEqual(await all(executions.list({ project: "CLM-In" })), []);
  });
});
