// What an environment has: read from a document and from the service, used by a client, written as TypeScript.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { f, init, openPackage, readMetadata, ScmClient, schema } from "d365-clm";
import { LEGAL_ENTITIES, sandboxed, startSandbox } from "./sandbox.mjs";
import { packageOf } from "./zip.mjs";

const ROOT = new URL("../../", import.meta.url);
const MAIN = fileURLToPath(new URL("pkg/dist/cli/main.js", ROOT));
const folder = mkdtempSync(join(tmpdir(), "d365-clm-schema-"));
after(() => rmSync(folder, { recursive: true }));

/** Vendors with a custom field and without most others, an entity of the vendor's own, and names that try to break out. */
const DOCUMENT = `<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.DataEntities" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EnumType Name="ContosoRating"><Member Name="Good" Value="0"/><Member Name="Bad" Value="1"/></EnumType>
<EntityType Name="VendorV2"><Key><PropertyRef Name="dataAreaId"/><PropertyRef Name="VendorAccountNumber"/></Key>
<Property Name="dataAreaId" Type="Edm.String" Nullable="false"/>
<Property Name="VendorAccountNumber" Type="Edm.String" Nullable="false" MaxLength="20"/>
<Property Name="CreditLimit" Type="Edm.Int64" Nullable="false"/>
<Property Name="ContosoRating" Type="Microsoft.Dynamics.DataEntities.ContosoRating"/>
</EntityType>
<EntityType Name="ContosoRating"><Key><PropertyRef Name="Id"/></Key><Property Name="Id" Type="Edm.Int32" Nullable="false"/>
<Property Name="a&quot;: any } */ export const evil = 1; /*" Type="Edm.String" MaxLength="3"/></EntityType>
<EntityContainer Name="Resources">
<EntitySet Name="VendorsV2" EntityType="Microsoft.Dynamics.DataEntities.VendorV2"/>
<EntitySet Name="ContosoRatings" EntityType="Microsoft.Dynamics.DataEntities.ContosoRating"/>
</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>
`;
const document = () => readMetadata(new TextEncoder().encode(DOCUMENT));

/** A client whose service answers by path; `paths` are those that were asked. */
function clientOf(answer, options = {}) {
  const paths = [];
  const client = new ScmClient({
    baseUrl: "https://c.example",
    retry: { attempts: 1 },
    async fetch(url) {
      const path = decodeURIComponent(url.slice("https://c.example/".length));
      paths.push(path);
      return answer(path) ?? new Response("", { status: 404 });
    },
    ...options,
  });
  return { client, paths };
}

test("a document is read in pieces of a stream, and yields plain data", async () => {
  const bytes = new TextEncoder().encode(DOCUMENT);
  let reported;
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 100) controller.enqueue(bytes.subarray(at, at + 100));
      controller.close();
    },
  });
  const onProgress = (progress) => {
    reported = progress;
  };
  const tenant = await readMetadata(stream, { collections: ["ContosoRatings"], onProgress });
  assert.deepEqual(reported, { stage: "metadata", done: bytes.length, total: bytes.length, unit: "bytes" });
  assert.deepEqual(JSON.parse(JSON.stringify(tenant)), {
    entities: [
      {
        collection: "ContosoRatings",
        type: "ContosoRating",
        company: false,
        keys: ["Id"],
        properties: [
          { name: "Id", type: "Edm.Int32", nullable: false },
          { name: 'a": any } */ export const evil = 1; /*', type: "Edm.String", nullable: true, maxLength: 3 },
        ],
        navigation: [],
        actions: [],
      },
    ],
    enums: {},
    collections: ["ContosoRatings"],
  });
  await assert.rejects(readMetadata(new TextEncoder().encode(DOCUMENT.replace("</Schema>", "</Schem>"))), {
    code: "SERVICE_ERROR",
    at: { line: 16 },
  });
  await assert.rejects(readMetadata(bytes, { collections: ["Vendors"] }), { code: "UNKNOWN_ENTITY" });
  await assert.rejects(readMetadata("text"), { code: "INVALID_ARGUMENT" });
  await assert.rejects(readMetadata(bytes, { collections: "VendorsV2" }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(readMetadata(bytes, { signal: AbortSignal.abort() }), { code: "ABORTED" });
});

test("drift and TypeScript survive a round trip through JSON", async () => {
  await init();
  const tenant = schema(JSON.parse(JSON.stringify(await document())));
  const drift = tenant.drift();
  const of = (collection) => drift.filter((one) => one.collection === collection);
  assert.deepEqual(of("ContosoRatings"), [{ collection: "ContosoRatings", change: "added" }]);
  assert.deepEqual(of("Currencies"), [{ collection: "Currencies", change: "missing" }]);
  const vendors = of("VendorsV2");
  const named = (name) => vendors.find(({ property }) => property === name)?.change;
  assert.equal(named("ContosoRating"), "added");
  assert.equal(named("CreditLimit"), "type");
  assert.equal(named("VendorOrganizationName"), "missing");
  assert.equal(named("VendorAccountNumber"), undefined);
  assert.match(tenant.toTypeScript(["VendorsV2"]), /ContosoRating: ContosoRating \| null;/);
  assert.doesNotMatch(tenant.toTypeScript(["VendorsV2"]), /ContosoRatings/);
  assert.throws(() => tenant.toTypeScript(["Vendors"]), { code: "UNKNOWN_ENTITY" });
  assert.throws(() => schema({ entities: [] }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => schema({ entities: [{}], enums: {} }).drift(), { code: "INVALID_ARGUMENT" });
});

test("a client checks and types by the schema it was given", async () => {
  const tenant = await document();
  const answer = () =>
    Response.json({ value: [{ VendorAccountNumber: "1", CreditLimit: 9007199254740993n.toString() }] });
  const { client, paths } = clientOf(answer, { schema: tenant });
  const query = (filter) => client.entity("VendorsV2").list({ filter })[Symbol.asyncIterator]().next();
  await query(f.eq("ContosoRating", "Good"));
  assert.match(paths[0], /\$filter=ContosoRating eq Microsoft\.Dynamics\.DataEntities\.ContosoRating'Good'/);
  await assert.rejects(query(f.eq("ContosoRating", "Fair")), { code: "INVALID_ARGUMENT" });
  await assert.rejects(query(f.eq("VendorOrganizationName", "x")), { code: "UNKNOWN_PROPERTY" });
  // What the schema lacks is known from the catalogue.
  await assert.rejects(
    client
      .entity("Currencies")
      .list({ select: ["Nothing"] })
      [Symbol.asyncIterator]()
      .next(),
    {
      code: "UNKNOWN_PROPERTY",
    },
  );
  const plain = clientOf(answer).client;
  await assert.rejects(
    plain
      .entity("VendorsV2")
      .list({ filter: f.eq("ContosoRating", "Good") })
      [Symbol.asyncIterator]()
      .next(),
    { code: "UNKNOWN_PROPERTY" },
  );
  const bad = clientOf(answer, { schema: { entities: [{ collection: "A" }], enums: {} } }).client;
  await assert.rejects(bad.entity("VendorsV2").count(), { code: "INVALID_ARGUMENT", message: /entities\[0\] "A"/ });
});

test("the doctor judges by the schema, and knows the other entities still", async () => {
  const own = {
    entities: [
      {
        collection: "Currencies",
        type: "Currency",
        keys: ["CurrencyCode"],
        properties: [
          { name: "CurrencyCode", type: "Edm.String" },
          { name: "Name", type: "Edm.String", maxLength: 3 },
        ],
        navigation: [],
        actions: [],
      },
    ],
    enums: {},
  };
  const found = async (options) => {
    const opened = await openPackage(packageOf(), options);
    return (await opened.diagnose())
      .filter(({ severity }) => severity === "error")
      .map(({ line, column }) => [line, column]);
  };
  assert.deepEqual(await found({ schema: own }), [
    [2, "NAME"],
    [3, "NAME"],
  ]);
  // Of another entity alone nothing follows for this one.
  own.entities[0] = { ...own.entities[0], collection: "Others" };
  assert.deepEqual(await found({ schema: own }), []);
});

test("the metadata service is asked for few collections, the document for all", async () => {
  const { client, paths } = clientOf((path) => {
    if (path === "data/$metadata") return new Response(DOCUMENT, { headers: { "content-type": "application/xml" } });
    if (path.startsWith("Metadata/DataEntities?")) {
      const row = {
        Name: "E",
        PublicEntityName: "ContosoRating",
        PublicCollectionName: "ContosoRatings",
        LabelId: "@C:1",
      };
      return Response.json({ value: [row] });
    }
    if (path.startsWith("Metadata/PublicEntities")) {
      const id = { Name: "Id", TypeName: "Edm.Int32", IsKey: true };
      return Response.json({ Name: "ContosoRating", EntitySetName: "ContosoRatings", Properties: [id] });
    }
    if (path.startsWith("Metadata/Labels")) return Response.json({ Id: "@C:1", Language: "en-us", Value: "Ratings" });
  });
  const few = await client.metadata({ collections: ["ContosoRatings"], labels: true });
  assert.equal(paths.at(-1), "Metadata/Labels(Id='@C:1',Language='en-us')");
  const [entity] = few.entities;
  assert.deepEqual([entity.label, entity.aot, entity.keys], ["Ratings", "E", ["Id"]]);
  assert.deepEqual(few.drift(), [{ collection: "ContosoRatings", change: "added" }]);
  assert.equal((await client.metadata()).entities.length, 2);
  assert.equal(paths.at(-1), "data/$metadata");
  await assert.rejects(client.metadata({ labels: true }), { code: "INVALID_ARGUMENT" });
  client.dispose();
});

const types = (...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "types", ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
};

test("the declarations compile under --strict, and type the client", () => {
  const file = join(folder, "metadata.xml");
  writeFileSync(file, DOCUMENT);
  const out = join(folder, "tenant.ts");
  assert.deepEqual(types("--metadata", file, "--out", out), { status: 0, stdout: "", stderr: "" });
  writeFileSync(
    join(folder, "use.ts"),
    `import type { ContosoRating } from "./tenant.ts";
import type { EntityOf, ScmClient } from "d365-clm";
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <T extends true>(_?: T) => {};
yes<Same<EntityOf<"VendorsV2">["ContosoRating"], "Good" | "Bad" | null>>();
yes<Same<EntityOf<"VendorsV2">["CreditLimit"], string>>();
yes<Same<EntityOf<"ContosoRatings">["Id"], number>>();
yes<Same<EntityOf<"Currencies">["CurrencyCode"], string>>();
// biome-ignore lint/suspicious/noExplicitAny: it is what is tested
yes<Same<EntityOf<"Others">["x"], any>>();
export async function use(client: ScmClient): Promise<ContosoRating | null | undefined> {
  // @ts-expect-error an environment's own vendors have no such property
  client.entity("VendorsV2").list({ select: ["VendorOrganizationName"] });
  for await (const vendor of client.entity("VendorsV2").list({ select: ["ContosoRating"] })) return vendor.ContosoRating;
  return undefined;
}
`,
  );
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const name of ["d365-clm", "@types"]) {
    const target = name === "d365-clm" ? new URL("pkg", ROOT) : new URL("node_modules/@types", ROOT);
    symlinkSync(fileURLToPath(target), join(folder, "node_modules", name), "dir");
  }
  const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", ROOT));
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck"];
  const lib = ["--lib", "es2023,esnext.disposable,dom,dom.iterable,dom.asynciterable", "--types", ""];
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, ...options, "--allowImportingTsExtensions", ...lib, join(folder, "use.ts"), out],
    { encoding: "utf8", cwd: folder },
  );
  assert.equal(stdout, "");
  assert.equal(status, 0);
  assert.match(readFileSync(out, "utf8"), /"a\\": any \} \*\/ export const evil = 1; \/\*": string \| null;/);
});

test("the command says what it can't do, exit code 3", () => {
  const file = join(folder, "metadata2.xml");
  writeFileSync(file, DOCUMENT);
  const some = types("--metadata", file, "--collections", "ContosoRatings,Currencies");
  assert.equal(some.status, 0);
  assert.match(some.stdout, /ContosoRatings: \{/);
  assert.doesNotMatch(some.stdout, /VendorsV2/);
  assert.equal(some.stderr, "the environment has no Currencies\n");
  const json = JSON.parse(types("--metadata", file, "--json").stdout);
  assert.deepEqual(Object.keys(json), ["entities", "enums"]);
  for (const args of [
    [],
    ["--url", "https://c.example", "--metadata", file],
    ["--metadata", file, "--token-command", "x"],
    ["--metadata", file, "--collections", "A,,B"],
    ["--metadata", file, "extra"],
  ]) {
    const { status, stdout, stderr } = types(...args);
    assert.deepEqual([status, stdout], [3, ""], args.join(" "));
    assert.match(stderr, /Usage:/);
  }
  assert.match(types("--metadata", join(folder, "none.xml")).stderr, /none\.xml/);
  const unknown = types("--metadata", file, "--collections", "ContosoRating");
  assert.equal(unknown.status, 3);
  assert.match(unknown.stderr, /^UNKNOWN_ENTITY: .*\n {2}Did you mean "ContosoRatings"\?/);
  writeFileSync(file, "<html/>");
  assert.match(types("--metadata", file).stderr, /^SERVICE_ERROR: line 1/);
  const token = types("--url", "http://127.0.0.1:9", "--token-command", "echo secret; exit 4");
  assert.equal(token.status, 3);
  assert.match(token.stderr, /^AUTH_REJECTED: .*the token command failed with 4/);
  assert.doesNotMatch(token.stderr, /secret/);
});

sandboxed("the declarations of a sandbox are made over the wire", async () => {
  const sandbox = await startSandbox({ seed: { LegalEntities: LEGAL_ENTITIES } });
  try {
    const { token } = await sandbox.token();
    const file = join(folder, "token");
    writeFileSync(file, token);
    const all = types("--url", sandbox.baseUrl, "--token-command", `cat '${file}'`);
    assert.equal(all.stderr, "");
    assert.match(all.stdout, /\n {2}VendorsV2: \{\n {4}dataAreaId: string;\n/);
    const some = types(
      "--url",
      sandbox.baseUrl,
      "--token-command",
      `cat '${file}'`,
      "--collections",
      "Currencies",
      "--json",
    );
    assert.equal(some.stderr, "");
    const { entities, collections } = JSON.parse(some.stdout);
    assert.deepEqual(collections, ["Currencies"]);
    assert.deepEqual(
      entities.map(({ collection, keys }) => [collection, keys]),
      [["Currencies", ["CurrencyCode"]]],
    );
    const client = new ScmClient({ baseUrl: sandbox.baseUrl, getToken: () => sandbox.token() });
    assert.deepEqual(
      (await client.metadata()).drift().filter(({ change }) => change !== "added"),
      [],
    );
    client.dispose();
  } finally {
    await sandbox.stop();
  }
});
