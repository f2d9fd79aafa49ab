/** Data packages, by the module for everything. */
import { loader } from "./init.js";
import type { PackageSource } from "./package/access.js";
import { build, stream } from "./package/build.js";
import type { DataPackage } from "./package/data-package.js";
import { type OpenOptions, open } from "./package/open.js";
import type { PackageSpec } from "./package/spec.js";
import type { RunOptions } from "./run.js";

/**
 * Builds a data package.
 *
 * Rows are taken one by one as the package grows. Progress counts rows, stage "build". An EXCEL entity is held in memory as a
 * whole.
 *
 * @throws {ClmError} INVALID_ARGUMENT for a value or key that can't be written, with row and column in `at`; DATA_INVALID for a
 * file that the service would refuse; PACKAGE_LIMIT; ABORTED.
 * @example
 * const zip = await buildPackage({
 *   name: "CLM-Import",
 *   entities: [{ entity: "CLM integration contract types", rows: [{ Name: "NDA", Description: "Non-disclosure agreement" }] }],
 * });
 */
export function buildPackage(spec: PackageSpec, options?: RunOptions): Promise<Uint8Array> {
  return build(loader, spec, options);
}

/**
 * The same bytes, made only as fast as they are read: memory does not grow with the data. Errors are those of `buildPackage`, on the
 * stream. Cancelling it ends the sources of rows and frees everything.
 *
 * @example
 * await fetch(url, { method: "PUT", body: packageStream(spec), duplex: "half" });
 */
export function packageStream(spec: PackageSpec, options?: RunOptions): ReadableStream<Uint8Array> {
  return stream(loader, spec, options);
}

/**
 * Opens a data package. Of bytes, a Blob, a URL with ranges and a RandomAccess only the directory, the header and the manifest are
 * read, and entity data when it is asked for. A stream, a Response and a URL without ranges are held in memory up to `limits.spool`
 * bytes.
 *
 * @throws {ClmError} NOT_A_PACKAGE, PACKAGE_CORRUPT, PACKAGE_LIMIT, MANIFEST_INVALID, INVALID_ARGUMENT, ABORTED; of a URL also
 * NOT_FOUND, FORBIDDEN, SERVICE_ERROR, NETWORK, CORS_OR_NETWORK
 * @example
 * using opened = await openPackage(bytes);
 * for await (const vendor of opened.entity("VendorsV2")!.rows()) console.log(vendor.VENDORACCOUNTNUMBER);
 */
export function openPackage(source: PackageSource, options?: OpenOptions): Promise<DataPackage> {
  return open(loader, source, options);
}
