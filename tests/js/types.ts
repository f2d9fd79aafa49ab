// Never run: what must and what must not compile against the package's declarations.
import {
  type AgreementValidation,
  type BatchOperation,
  buildPackage,
  type Checkpoint,
  type ClientOptions,
  ClmError,
  type CompositeRecord,
  type Diagnostic,
  type EntityOf,
  type ErrorCode,
  type ExportResult,
  f,
  type HttpRequest,
  type ImportResult,
  init,
  initSync,
  isClmError,
  type Job,
  openPackage,
  type PackageSource,
  type PackageSpec,
  packageStream,
  type Row,
  requests,
  type ScmClient,
} from "d365-clm";
import type { Diagnostic as OnlyDiagnostic, openPackage as openOnly } from "d365-clm/package";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <T extends true>(_?: T) => {};

export async function shapes(scm: ScmClient): Promise<void> {
  // The contract life cycle is typed by the same properties.
  const made = await scm.clm.contracts.create({ ContractId: "C1", ContractStatus: "Draft", EffectiveDate: new Date() });
  yes<Same<typeof made, EntityOf<"CLMIntegrationContracts">>>();
  // @ts-expect-error: no such property
  await scm.clm.contracts.create({ ContractNam: "x" });
  const { agreementId, validation } = await scm.clm.agreements.create({ header: {}, lines: [{ LineNumber: 1 }] });
  yes<Same<typeof validation, AgreementValidation>>();
  await scm.clm.links.agreement({ agreementId });
  // @ts-expect-error: an agreement is not found by a contract's number
  await scm.clm.agreements.get({ contractId: "C1" });
  // Catalogued entities are typed by their properties, others hold anything.
  type Contract = EntityOf<"CLMIntegrationContracts">;
  yes<Same<Contract["ContractId"], string>>();
  yes<Same<Contract["AmendmentInProcess"], "No" | "Yes" | null>>();
  yes<Same<EntityOf<"VendorsV2">["CreditLimit"], string>>();
  yes<Same<EntityOf<"Currencies">["DecimalsCount_MX"], number>>();
  // biome-ignore lint/suspicious/noExplicitAny: it is what is tested
  yes<Same<EntityOf<"MyOwnEntities">["anything"], any>>();

  const contracts = scm.entity("CLMIntegrationContracts");
  const found = await contracts.get({ dataAreaId: "usmf", ContractId: "C1" });
  yes<Same<(typeof found & {})["ContractName"], string | null>>();
  // @ts-expect-error no such property
  await contracts.get({ ContractNumber: "C1" });
  // @ts-expect-error no such property
  contracts.list({ select: ["ContractNumber"] });
  // @ts-expect-error a table is no value
  await contracts.create({ ContractName: { a: 1 } });
  await contracts.create({ ContractName: "x", EffectiveDate: new Date(), AmendmentInProcess: true });
  await scm.entity("MyOwnEntities").update({ Id: 1n }, { Whatever: 5 }, { ifMatch: "e" });
  for await (const { ContractId } of contracts.list({ filter: f.eq("ContractId", "C1"), top: 5 })) ContractId.at(0);
  // @ts-expect-error filters are made by f
  contracts.list({ filter: { kind: "other" } });

  const job = scm.importPackage(
    { name: "P", entities: [{ entity: "Currencies", rows: [{ A: 1n }] }] },
    { project: "P" },
  );
  yes<Same<typeof job, Job<ImportResult>>>();
  // @ts-expect-error an import needs a project
  scm.importPackage(new Uint8Array(), {});
  scm.importPackage({ name: "P", entities: [{ entity: "Currencies", format: "EXCEL", rows: [] }] }, { project: "P" });
  // @ts-expect-error no such format
  scm.importPackage({ name: "P", entities: [{ entity: "Currencies", format: "XLSX", rows: [] }] }, { project: "P" });
  for await (const { stage } of job) yes<Same<typeof stage extends string ? true : false, true>>();

  const exported: Checkpoint<"export"> = { version: 1, kind: "export", executionId: "E" };
  yes<Same<ReturnType<typeof scm.resume<"export">>, Job<ExportResult>>>();
  const { package: opened } = await scm.resume(exported).done();
  const [entity] = opened.entities;
  for await (const row of entity?.rows() ?? []) yes<Same<typeof row, Record<string, string>>>();

  using disposed = await openPackage(await buildPackage({ name: "P", entities: [] }));
  disposed.dispose();
}

export async function packages(): Promise<void> {
  const spec: PackageSpec = {
    name: "P",
    workers: 2,
    entities: [
      { entity: "Currencies", format: "CSV", encoding: "utf-8", rows: () => [{ A: new Date() }] },
      {
        entity: "Orders",
        format: "XML-Element",
        composite: { element: "O", columns: ["A"] },
        records: [{ values: {} }],
      },
      // @ts-expect-error no such encoding
      { entity: "Vendors V2", encoding: "utf-16", rows: [] },
    ],
  };
  yes<Same<ReturnType<typeof packageStream>, ReadableStream<Uint8Array>>>();
  packageStream(spec).getReader({ mode: "byob" }).releaseLock();
  const read = async (start: number, end: number) => new Uint8Array(end - start);
  const sources: PackageSource[] = [
    new Uint8Array(),
    new ArrayBuffer(1),
    new Blob(),
    packageStream(spec),
    new Response(),
    new URL("https://c.example"),
    { size: 5, read },
    // @ts-expect-error a text is no source
    "path.zip",
  ];
  const opened = await openPackage(sources[0] as PackageSource, { limits: { workbook: 5 }, fetch });
  // @ts-expect-error no such limit
  await openPackage(new Blob(), { limits: { entrys: 5 } });
  const [entity] = opened.entities;
  for await (const { rows, columns } of entity?.columnBatches(100) ?? []) {
    yes<Same<typeof rows, number>>();
    yes<Same<(typeof columns)[number], { name: string; text: string; ends: Uint32Array }>>();
  }
  for await (const record of entity?.records() ?? []) yes<Same<typeof record, CompositeRecord>>();
  for (const { severity } of await opened.diagnose()) yes<Same<typeof severity, "error" | "warning" | "info">>();
  const { changes, bytes } = await opened.repair();
  yes<Same<typeof changes, Diagnostic[]>>();
  yes<Same<typeof bytes, Uint8Array>>();
  yes<Same<ReturnType<typeof opened.subsetStream>, ReadableStream<Uint8Array>>>();
  await init("core.wasm", { excel: new URL("https://c.example/excel.wasm") });
  initSync(new Uint8Array(), { excel: new WebAssembly.Module(new Uint8Array()) });
  // The entry for packages has the same types.
  yes<Same<typeof openOnly, typeof openPackage>>();
  yes<Same<OnlyDiagnostic, Diagnostic>>();
  // @ts-expect-error and no client
  type _Client = import("d365-clm/package").ScmClient;
}

export async function batches(scm: ScmClient): Promise<void> {
  const [read, list, created, deleted, count] = await scm.batch([
    { op: "get", entity: "Currencies", key: { CurrencyCode: "EUR" } },
    { op: "get", entity: "Currencies", query: { top: 1 } },
    { op: "create", entity: "Currencies", value: { CurrencyCode: "EUR" } },
    { op: "delete", entity: "Currencies", key: { CurrencyCode: "EUR" }, ifMatch: "e" },
    { op: "count", entity: "Currencies" },
  ]);
  if (!read.ok) throw read.error;
  yes<Same<(typeof read.value & {})["DecimalsCount_MX"], number>>();
  if (list.ok) yes<Same<(typeof list.value & {})["items"][0]["DecimalsCount_MX"], number>>();
  if (created.ok) created.value?.CurrencyCode.at(0);
  if (deleted.ok) yes<Same<typeof deleted.value, undefined>>();
  if (count.ok) count.value?.toFixed();
  // @ts-expect-error no such operation
  await scm.batch([{ op: "upsert", entity: "Currencies" }]);
  const many: BatchOperation[] = [];
  for (const result of await scm.batch(many, { atomic: true })) if (!result.ok) result.error.code;
  const request: HttpRequest = requests.get("https://c.example", "Currencies", { CurrencyCode: "EUR" });
  requests.read(request, { status: 200, headers: {}, body: new Uint8Array() });
}

export function options(): ClientOptions[] {
  const baseUrl = "https://contoso.operations.dynamics.com";
  return [
    { baseUrl },
    { baseUrl: new URL(baseUrl), getToken: () => "t" },
    {
      baseUrl,
      getToken: async ({ scope, reason, signal }) => ({ token: `${scope}${reason}${signal}`, expiresOn: new Date() }),
    },
    { baseUrl, credential: { getToken: async () => ({ token: "t", expiresOnTimestamp: 0 }) } },
    // @ts-expect-error no such option
    { baseUrl, token: "t" },
  ];
}

export function errors(e: unknown): ErrorCode | undefined {
  // @ts-expect-error no such code
  new ClmError("SOMETHING", "x");
  if (!isClmError(e)) return undefined;
  yes<Same<typeof e.hint, string | undefined>>();
  return e.code;
}

// @ts-expect-error a cell is no object
export const row: Row = { a: { b: 1 } };
