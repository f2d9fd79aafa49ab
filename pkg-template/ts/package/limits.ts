/** Limits against damaged and hostile packages. */

/**
 * Exceeding one is PACKAGE_LIMIT. Defaults: 10,000 entries; 64 GiB an entry, 256 GiB in all; ratio 1,032; XML depth 64; spool and
 * workbook 64 MiB.
 */
export interface Limits {
  entries?: number;
  /** Inflated bytes of an entry. */
  entryBytes?: number;
  /** Inflated bytes of all entries. */
  totalBytes?: number;
  /** Inflated to deflated bytes of an entry. */
  ratio?: number;
  xmlDepth?: number;
  /** Bytes held of a source that can only be read forwards (a stream, a Response, a server without ranges). */
  spool?: number;
  /** Bytes of a workbook, which is held in memory as a whole; also of what is inflated out of it. */
  workbook?: number;
}

export const DEFAULT_SPOOL: number = 64 * 1024 * 1024;
export const DEFAULT_WORKBOOK: number = 64 * 1024 * 1024;
