/** Parts of the client that not every version of the package has: each is looked for before it is used. */
import type { CheckpointStore, Diagnostic, RunOptions, ScmClient } from "d365-clm";

export type Row = Record<string, unknown>;
export interface SyncStatus {
  entity: string;
  company?: string;
  transport: string;
  lastRun?: string;
  rows: number;
  pending: boolean;
}
export interface SyncBatch {
  entity: string;
  company?: string;
  rows: unknown[];
  deletedKeys: unknown[];
  commit(): Promise<void>;
}
export interface Sync extends AsyncIterable<SyncBatch> {
  status(): Promise<SyncStatus[]>;
}
export interface NavigationLink {
  type: string;
  name: string;
  relativeUrl: string;
  open: "OpenInNewTab" | "OpenInExistingTab";
  query?: Record<string, string>;
}
export interface Finding {
  line?: number;
  field?: string;
  message: string;
}
interface ContractRef {
  contractId: string;
  company?: string;
}
export interface Clm {
  contracts: {
    list(query?: object, options?: RunOptions): AsyncIterable<Row>;
    setStatus(id: ContractRef, status: string, options?: RunOptions): Promise<void>;
  };
  agreements: {
    get(id: object, options?: RunOptions): Promise<{ header: Row; lines: Row[] } | undefined>;
    validate(draft: object, options?: object): Promise<{ valid: boolean; unchecked: string[]; findings: Finding[] }>;
  };
  connection: {
    status(options?: RunOptions): Promise<{ establishment: string; configuration: string; instanceName?: string }>;
    establish(
      setup: { instanceName: string; baseUrl: string; navigationBaseUrl?: string; links: NavigationLink[] },
      options?: RunOptions,
    ): Promise<{ changed: string[] }>;
  };
  links: {
    contract(id: ContractRef, options?: RunOptions): Promise<string>;
    agreement(id: object, options?: RunOptions): Promise<string>;
  };
}

export type Newer = ScmClient & {
  diagnose?: (options?: RunOptions) => Promise<Diagnostic[]>;
  sync?: (options: {
    name: string;
    store: CheckpointStore;
    companies?: string[];
    withoutTracking?: "error" | "full" | "compare";
    signal?: AbortSignal;
  }) => Sync;
  clm?: Clm;
};

/** @throws {Error} that says which part is missing */
export function need<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw new Error(`This version of d365-clm has no ${name}.`);
  return part;
}
