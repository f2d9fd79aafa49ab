// The main job of an integration: contracts into Supply Chain Management, master data out of it, later only what changed.
// It knows nothing of its host: node.ts runs it in Node, the tests run it in a page.
import { type Checkpoint, type ClientOptions, type Progress, type Row, ScmClient } from "d365-clm";
import { compare, differences, Figures } from "./check.js";
import { contracts, TYPES } from "./contracts.js";

export interface Host {
  client: ClientOptions;
  /** What the environment was filled with, to compare with what comes out of it. */
  seed(collection: string): Promise<Row[]>;
  report(line: Line): void;
  /** Makes a checkpoint durable: with it, another process goes on by `scm.resume(checkpoint)`. */
  save(checkpoint: Checkpoint): Promise<void>;
  /** Milliseconds; only differences count. */
  now(): number;
}
export type Line =
  | { type: "stage"; name: string }
  | ({ type: "progress" } & Progress)
  | { type: "table"; rows: object[] };

const IMPORT = "CLM-Contracts-Import";
const COMPANIES = ["usmf", "demf"];
/** Change tracking is kept by project and company, so every company has a project of its own. */
const exportProject = (company: string) => `CLM-Master-Data-${company.toUpperCase()}`;
/** Currencies are shared by all companies: one project is enough for them. */
const exported = (company: string) => (company === COMPANIES[0] ? [VENDORS, CURRENCIES] : [VENDORS]);
const VENDORS = { entity: "Vendors V2", collection: "VendorsV2", key: "VendorAccountNumber" };
const CURRENCIES = { entity: "Currencies", collection: "Currencies", key: "CurrencyCode" };

export async function run(host: Host): Promise<boolean> {
  const scm = new ScmClient(host.client);
  try {
    const table = [...(await contractsIn(scm, host)), ...(await masterDataOut(scm, host))];
    host.report({ type: "table", rows: table.map((figures) => figures.toJSON()) });
    return table.every(({ wrong }) => wrong.length === 0);
  } finally {
    scm.dispose();
  }
}

async function contractsIn(scm: ScmClient, host: Host): Promise<Figures[]> {
  const { options, ms } = begin(host, "Contracts into Supply Chain Management");
  // One unit, two levels: the types are there before the contracts that name them.
  const types = { entity: "CLM integration contract types", executionUnit: 1, level: 1 };
  const main = { entity: "CLM integration contract", executionUnit: 1, level: 2 };
  const parts = [
    { line: types, collection: "CLMIntegrationContractTypes", key: "Name", rows: TYPES },
    { line: main, collection: "CLMIntegrationContracts", key: "ContractId", rows: contracts(5000) },
  ];
  await scm.projects.ensure({ name: IMPORT, operation: "Import", entities: [types, main] });
  const source = { name: IMPORT, entities: parts.map(({ line, rows }) => ({ ...line, rows })) };
  await scm.importPackage(source, { ...options, project: IMPORT, company: "usmf" }).done();

  const table: Figures[] = [];
  for (const { line, collection, key, rows } of parts) {
    const figures = new Figures(line.entity, "CLM → SCM");
    const stored = scm.entity(collection);
    figures.sent = rows.length;
    figures.imported = await stored.count();
    if (figures.imported !== rows.length) figures.wrong.push(`${figures.imported} rows are there`);
    for (let i = 0; i < rows.length; i += Math.ceil(rows.length / 25)) {
      const row = rows[i] ?? {};
      const found = await stored.get({ [key]: row[key] });
      figures.wrong.push(...differences(row, (name) => found?.[name], `row ${i + 1}`));
    }
    figures.ms = ms();
    table.push(figures);
  }
  return table;
}

async function masterDataOut(scm: ScmClient, host: Host): Promise<Figures[]> {
  for (const company of COMPANIES) {
    const entities = exported(company).map(({ entity }) => ({ entity, refresh: "IncrementalPush" as const }));
    await scm.projects.ensure({ name: exportProject(company), operation: "Export", entities });
  }
  const table = new Map<string, Figures>();
  /** Exports every company's project and compares every row. */
  const exportAll = async (name: string, expected: Map<string, Row[]>, note: (f: Figures, rows: number) => void) => {
    for (const company of COMPANIES) {
      const { options, ms } = begin(host, `${name} (${company})`);
      const { package: opened } = await scm
        .exportPackage({ ...options, project: exportProject(company), company })
        .done();
      for (const { entity, collection, key } of exported(company)) {
        const title = collection === "VendorsV2" ? `${entity} (${company})` : entity;
        const figures = table.get(title) ?? new Figures(title, "SCM → CLM");
        table.set(title, figures);
        const rows = expected.get(collection)?.filter(({ dataAreaId = company }) => dataAreaId === company) ?? [];
        note(figures, await compare(opened, collection, key, rows, figures.wrong));
        figures.ms += ms();
      }
      opened.dispose();
    }
  };
  const vendors = await host.seed("VendorsV2");
  const full = new Map([
    ["VendorsV2", vendors],
    ["Currencies", await host.seed("Currencies")],
  ]);
  await exportAll("Master data in full", full, (figures, rows) => {
    figures.exported = rows;
  });
  const delta = new Map([["VendorsV2", await changeVendors(scm, host, vendors)]]);
  await exportAll("Only what changed", delta, (figures, rows) => {
    figures.incremental = rows;
  });
  for (const [title, figures] of table) {
    figures.changed = delta.get("VendorsV2")?.filter((row) => title.includes(`(${row.dataAreaId})`)).length ?? 0;
  }
  await exportAll("Nothing more", new Map(), () => {});
  return [...table.values()];
}

/** Three vendors get other values, a fourth is new; both companies are concerned. Gives the rows as they are now. */
async function changeVendors(scm: ScmClient, host: Host, vendors: Row[]): Promise<Row[]> {
  begin(host, "Three vendors change, one is new");
  const set = scm.entity("VendorsV2");
  const born = { dataAreaId: "demf", VendorAccountNumber: "NEW-1", VendorOrganizationName: "新しい取引先\n東京" };
  const now: Row[] = [await set.create({ ...born, VendorGroupId: "10" }).then(() => born)];
  const changes = [{ VendorOrganizationName: 'Ålesund, "Nord"' }, { OnHoldStatus: "All" }, { AddressCity: "Köln 🌆" }];
  for (const [i, change] of changes.entries()) {
    const vendor = vendors.at(i - 1) ?? {};
    const { dataAreaId, VendorAccountNumber } = vendor;
    await set.update({ dataAreaId, VendorAccountNumber }, change);
    now.push({ ...vendor, ...change });
  }
  return now;
}

function begin(host: Host, name: string) {
  host.report({ type: "stage", name });
  const began = host.now();
  const onProgress = (progress: Progress) => host.report({ type: "progress", ...progress });
  const options = { onProgress, onCheckpoint: host.save, poll: { interval: 200, max: 1000 } };
  return { options, ms: () => Math.round(host.now() - began) };
}
