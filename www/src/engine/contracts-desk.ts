/** Contracts, their agreements, the handshake, and the connection doctor. */
import { type NavigationLink, need, type Row } from "./newer.ts";
import { scm } from "./service.ts";
import type { Run } from "./worker.ts";

const SHOWN = 500;
/** Properties of a row that go to the page, as text. */
function texts(row: Row): Record<string, string> {
  const pairs = Object.entries(row).filter(
    ([name, value]) => !name.startsWith("@") && value !== null && value !== undefined,
  );
  return Object.fromEntries(pairs.map(([name, value]) => [name, String(value).slice(0, 500)]));
}
const clm = () => need(scm().clm, "clm");

export interface ContractId {
  contractId: string;
  company?: string;
}

export const methods = {
  async diagnoseConnection(_: unknown, { signal, tell }: Run) {
    const client = scm();
    need(client.diagnose, "diagnose()");
    const findings = (await client.diagnose?.({ signal, onProgress: tell })) ?? [];
    return findings.slice(0, SHOWN);
  },

  async handshakeStatus(_: unknown, { signal }: Run) {
    return clm().connection.status({ signal });
  },

  async establish(
    setup: { instanceName: string; baseUrl: string; navigationBaseUrl?: string; links: NavigationLink[] },
    { signal }: Run,
  ) {
    return clm().connection.establish(setup, { signal });
  },

  async contracts(_: unknown, { signal }: Run) {
    const out: Record<string, string>[] = [];
    for await (const row of clm().contracts.list({}, { signal })) {
      out.push(texts(row));
      if (out.length === SHOWN) break;
    }
    return out;
  },

  async setContractStatus({ id, status }: { id: ContractId; status: string }, { signal }: Run) {
    await clm().contracts.setStatus(id, status, { signal });
  },

  async contractLink(id: ContractId, { signal }: Run) {
    return clm().links.contract(id, { signal });
  },

  /** The agreement of a contract and, where the service has one, what its validation says. */
  async agreement({ externalContractId, company }: { externalContractId: string; company?: string }, { signal }: Run) {
    const draft = await clm().agreements.get({ externalContractId, ...(company && { company }) }, { signal });
    if (!draft) return undefined;
    const validation = await clm().agreements.validate(draft, { signal });
    return { header: texts(draft.header), lines: draft.lines.slice(0, SHOWN).map(texts), validation };
  },
};
