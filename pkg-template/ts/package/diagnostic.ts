/** A finding of the package doctor. */
export interface Diagnostic {
  /** Stable, documented one by one, for example "PKG-MAP-MISSING". */
  code: string;
  /** "error": the service rejects, misreads or silently skips it. */
  severity: "error" | "warning" | "info";
  message: string;
  /** What to do. */
  hint: string;
  /** Whether `repair()` corrects it. */
  repairable: boolean;
  /** Name of the entry in the zip. */
  file?: string;
  /** Label of the data entity. */
  entity?: string;
  /** 1-based line of the file. */
  line?: number;
  column?: string;
}
