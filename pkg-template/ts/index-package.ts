/**
 * d365-clm/package: data packages alone, with the smaller module `package.wasm`. The same functions and types as in the main entry;
 * objects of the two entries can't be mixed.
 */
export { ClmError, type ErrorCode, type ErrorDetails, isClmError, type Place, type ServiceWords } from "./errors.js";
export { init, initSync } from "./init-package.js";
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
export { buildPackage, openPackage, packageStream } from "./packages-only.js";
export type { Progress, RunOptions } from "./run.js";
export type { CatalogSchema, Drift, Schema, SchemaData, SchemaEntity, SchemaProperty } from "./schema-data.js";
export { version } from "./version.js";
