/**
 * d365-clm: contract lifecycle management integration for Dynamics 365 Supply Chain Management.
 *
 * Conventions: nothing is read from globals, files or the environment, the host passes everything in; every failure is a
 * `ClmError` with a stable `code`; tokens and storage signatures never appear in messages, events or checkpoints. Bytes are
 * Uint8Array, times are ISO 8601 texts in UTC, durations are milliseconds, Int64 and Decimal are texts unless `numbers` says
 * otherwise.
 */
export type { BatchOperation, BatchOptions, BatchPage, BatchResult, BatchResults } from "./batch.js";
export type { Catalog, EntityOf, TenantCatalog } from "./catalog.js";
export {
  type ClientEvent,
  type ClientOptions,
  type Companies,
  type DataProject,
  type DataProjects,
  type EntitySet,
  ScmClient,
} from "./client.js";
export type {
  AgreementDraft,
  AgreementRef,
  AgreementValidation,
  ByExternalId,
  Clm,
  Connection,
  Contract,
  ContractRef,
  ContractStatus,
  Contracts,
  NavigationLink,
  PurchaseAgreements,
} from "./clm.js";
export { ClmError, type ErrorCode, type ErrorDetails, isClmError, type Place, type ServiceWords } from "./errors.js";
export type { Execution, ExecutionError, Executions } from "./executions.js";
export { type EnumValue, type Filter, f } from "./filter.js";
export type { ImportSource } from "./import-source.js";
export { init, initSync } from "./init.js";
export type { Checkpoint, ExecutionStatus, Job, JobEvent, JobKind, JobOptions } from "./job.js";
export type { WasmSource } from "./loader.js";
export type { PackageSource, RandomAccess } from "./package/access.js";
export type { Cell, Row } from "./package/cells.js";
export { DataPackage } from "./package/data-package.js";
export type { Diagnostic } from "./package/diagnostic.js";
export type { ColumnBatch, PackageEntity } from "./package/entity.js";
export type { Limits } from "./package/limits.js";
export type { OpenOptions } from "./package/open.js";
export type { CompositeRecord } from "./package/records.js";
export type { ByteSource, RowSource } from "./package/sources.js";
export type {
  CompositeInput,
  CompositeMember,
  EntityData,
  EntityLine,
  PackageSpec,
  RecordSource,
  SourceFormat,
} from "./package/spec.js";
export { buildPackage, openPackage, packageStream } from "./packages.js";
export type { Entity, Input, Query } from "./query.js";
export type { MessageStatus, QueueMessage, RecurringQueues } from "./queues.js";
export type { Rejected } from "./rejected.js";
export { type HttpAnswer, type HttpRequest, type ReadOptions, requests, type ShapeOptions } from "./requests.js";
export type { Progress, RunOptions } from "./run.js";
export { type MetadataOptions, readMetadata, schema } from "./schema.js";
export type { CatalogSchema, Drift, Schema, SchemaData, SchemaEntity, SchemaProperty } from "./schema-data.js";
export { blobStore } from "./stores/blob.js";
export { indexedDbStore } from "./stores/indexeddb.js";
export { memoryStore } from "./stores/memory.js";
export type { CheckpointStore } from "./stores/store.js";
export {
  choosePattern,
  type Sync,
  type SyncBatch,
  type SyncEntity,
  type SyncOptions,
  type SyncStatus,
} from "./sync.js";
export type { Token, TokenCredentialLike, TokenRequest } from "./token.js";
export type {
  EntityResult,
  ExportOptions,
  ExportResult,
  ImportOptions,
  ImportResult,
  Polling,
  ResumeOptions,
  RowFailure,
} from "./transfer.js";
export { version } from "./version.js";
