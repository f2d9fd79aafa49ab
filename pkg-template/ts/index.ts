/**
 * d365-clm: contract lifecycle management integration for Dynamics 365 Supply Chain Management.
 *
 * Conventions: nothing is read from globals, files or the environment, the host passes everything in; every failure is a
 * `ClmError` with a stable `code`; tokens and storage signatures never appear in messages, events or checkpoints. Bytes are
 * Uint8Array, times are ISO 8601 texts in UTC, durations are milliseconds, Int64 and Decimal are texts unless `numbers` says
 * otherwise.
 */
export type { Catalog, EntityOf } from "./catalog.js";
export {
  type ClientEvent,
  type ClientOptions,
  type Companies,
  type DataProject,
  type DataProjects,
  type EntitySet,
  ScmClient,
} from "./client.js";
export { ClmError, type ErrorCode, type ErrorDetails, isClmError, type Place, type ServiceWords } from "./errors.js";
export { type EnumValue, type Filter, f } from "./filter.js";
export { init, initSync, type WasmSource } from "./init.js";
export type { Checkpoint, ExecutionStatus, Job, JobEvent, JobKind, JobOptions } from "./job.js";
export {
  buildPackage,
  DataPackage,
  type EntityData,
  type EntityLine,
  type Limits,
  openPackage,
  type PackageEntity,
  type PackageSpec,
  type SourceFormat,
} from "./package.js";
export type { Entity, Input, Query } from "./query.js";
export type { Cell, Row } from "./rows.js";
export type { Progress, RunOptions } from "./run.js";
export type { ByteSource, RowSource } from "./sources.js";
export type { Token, TokenCredentialLike, TokenRequest } from "./token.js";
export type {
  EntityResult,
  ExportOptions,
  ExportResult,
  ImportOptions,
  ImportResult,
  ImportSource,
  Polling,
  Rejected,
  ResumeOptions,
  RowFailure,
} from "./transfer.js";
export { version } from "./version.js";
