/** A finding of the package doctor, or of the connection doctor. */
export interface Diagnostic {
  /** Stable, documented one by one, for example "PKG-MAP-MISSING", "CONN-ROLE". */
  code: string;
  /** "error": the service rejects, misreads or silently skips it. */
  severity: "error" | "warning" | "info";
  message: string;
  /** What to do. */
  hint: string;
  /** Whether `repair()` of the package corrects it. */
  repairable: boolean;
  /** Name of the entry in the zip. */
  file?: string;
  /** Label of the data entity; of the connection doctor also the name of a collection. */
  entity?: string;
  /** 1-based line of the file. */
  line?: number;
  column?: string;
}
