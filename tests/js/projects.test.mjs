// Data projects, against a small model of the two entity sets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { all, caught, fakeService, json, value } from "./fake-service.mjs";

const refused = (message) => json({ error: { code: "", message } }, 400);

/** Knows what the documentation says of the sets; `absent` is the status for a project that is not there. */
function model({ absent = 404 } = {}) {
  const projects = new Map();
  const lines = [];
  const name = (path) => /\('(.*)'\)$/.exec(path)?.[1];
  const key = (path) => /\(DefinitionGroupId='(.*)',EntityName='(.*)'\)$/.exec(path)?.slice(1);
  const fake = fakeService(({ method, path, action, query, body }) => {
    const given = body ? JSON.parse(body) : undefined;
    if (action) {
      if (!projects.has(given.definitionGroupId))
        return refused(`Data project ${given.definitionGroupId} does not exist.`);
      return value(given.sourceName === "AX");
    }
    if (path.includes("GroupDetails")) {
      const at = lines.findIndex(
        (line) => key(path)?.[0] === line.DefinitionGroupId && key(path)?.[1] === line.EntityName,
      );
      if (method === "DELETE")
        return new Response(null, { status: lines.splice(at, at < 0 ? 0 : 1).length ? 204 : 404 });
      if (method === "POST") {
        lines.push({ ...given, AutoGenerateMapping: "No", ValidationStatus: given.AutoGenerateMapping });
        return json(given, 201);
      }
      if (method === "PATCH") return Object.assign(lines[at], given) && new Response(null, { status: 204 });
      const of = /DefinitionGroupId eq '(.*)'/.exec(query.get("$filter") ?? "")?.[1];
      return json({ value: lines.filter((line) => of === undefined || line.DefinitionGroupId === of) });
    }
    if (method === "POST") return projects.set(given.Name, given) && json(given, 201);
    if (name(path) === undefined) return json({ value: [...projects.values()] });
    if (!projects.has(name(path))) return refused("not there") && new Response("", { status: absent });
    if (method === "DELETE") return projects.delete(name(path)) && new Response(null, { status: 204 });
    return json(projects.get(name(path)));
  });
  return { ...fake, projects, lines };
}

const PROJECT = {
  name: "CLM-In",
  operation: "Import",
  category: "Integration",
  entities: [{ entity: "CLMIntegrationContracts", format: "XML-Element" }, { entity: "CLMIntegrationContractTypes" }],
};

test("what get gives can be ensured, and changes nothing", async () => {
  const { scm, lines, asked } = model();
  assert.deepEqual(await scm.projects.ensure(PROJECT), {
    created: true,
    changed: ["project", "CLM integration contract", "CLM integration contract types"],
  });
  const got = await scm.projects.get("CLM-In");
  assert.deepEqual(
    got.entities.map(({ entity, format, executionUnit, level, sequence, skipStaging }) => [
      entity,
      format,
      executionUnit,
      level,
      sequence,
      skipStaging,
    ]),
    [
      ["CLM integration contract", "XML-Element", 1, 2, 1, false],
      ["CLM integration contract types", "CSV-Unicode", 1, 1, 1, false],
    ],
  );
  assert.deepEqual(await scm.projects.ensure(got), { created: false, changed: [] });
  assert.deepEqual(await all(scm.projects.list()), [got]);
  lines.push({ DefinitionGroupId: "CLM-In", EntityName: "Sites V2" });
  assert.deepEqual(await scm.projects.ensure(PROJECT), { created: false, changed: [] });
  assert.deepEqual(await scm.projects.ensure(PROJECT, { exact: true }), {
    created: false,
    changed: ["Sites V2 (deleted)"],
  });
  assert.equal(lines.length, 2);
  assert.ok(
    asked.every(({ url }) => !/cross-company|dataAreaId/.test(url)),
    "projects belong to no company",
  );
  scm.dispose();
});

test("both sets refuse a company before anything is sent", async () => {
  const { scm, asked } = model();
  for (const collection of ["DataManagementDefinitionGroups", "DataManagementDefinitionGroupDetails"]) {
    const error = await caught(all(scm.entity(collection).list({ company: "usmf" })));
    assert.match(error.code, /INVALID_ARGUMENT|UNSUPPORTED_QUERY/);
  }
  const error = await caught(scm.projects.ensure({ ...PROJECT, company: "usmf" }));
  assert.equal(error.code, "INVALID_ARGUMENT");
  assert.deepEqual(asked, []);
  scm.dispose();
});

test("a project that is not there is undefined, deleted, or not found", async () => {
  for (const absent of [400, 404]) {
    const { scm, projects } = model({ absent });
    assert.equal(await scm.projects.get("CLM-In"), undefined);
    await scm.projects.delete("CLM-In");
    assert.equal((await caught(scm.projects.resetTracking("CLM-In", "VendorsV2"))).code, "NOT_FOUND");
    await scm.projects.ensure(PROJECT);
    assert.equal(await scm.projects.resetTracking("CLM-In", "VendorsV2"), true);
    await scm.projects.delete("CLM-In");
    assert.equal(projects.size, 0);
    assert.equal((await caught(scm.projects.get(""))).code, "INVALID_ARGUMENT");
    assert.equal((await caught(scm.projects.ensure({ ...PROJECT, name: undefined }))).code, "INVALID_ARGUMENT");
    scm.dispose();
  }
});
