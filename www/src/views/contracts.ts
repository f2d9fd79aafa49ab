/** *Contracts*: list, detail, status, agreement, and the way into SCM. */
import { fill, h } from "../dom.ts";
import type { View } from "../frame.ts";
import { button, choice, row, table } from "../parts/controls.ts";
import { Notice } from "../parts/notice.ts";
import type { Session } from "../session.ts";
import { strings } from "../strings.ts";
import { needing } from "./needs.ts";

type Contract = Record<string, string>;

export function contractsView(session: Session): View {
  return needing(session, { clm: "clm" }, () => {
    const notice = new Notice();
    const list = h("div", {});
    const detail = h("div", {});
    async function draw(): Promise<void> {
      fill(detail);
      const rows = (await session.engine.call("contracts", undefined)).map((one) => [
        one.ContractId,
        one.ContractName,
        one.ContractType,
        one.ContractStatus ?? one.Status,
        button(strings.contracts.show, () => fill(detail, contract(session, one)), {
          label: strings.contracts.open(one.ContractId ?? ""),
        }),
      ]);
      fill(
        list,
        rows.length > 0
          ? table(strings.contracts.list, strings.contracts.head, rows)
          : h("p", {}, strings.contracts.none),
      );
    }
    const load = button(strings.contracts.refresh, () => notice.guard(draw), { primary: true });
    return h("section", {}, row(load), notice.root, list, detail);
  });
}

function contract({ engine }: Session, one: Contract): HTMLElement {
  const notice = new Notice();
  const contractId = one.ContractId ?? "";
  const company = one.dataAreaId;
  const id = { contractId, ...(company && { company }) };
  const agreement = h("div", {});
  const status = choice(
    strings.contracts.status,
    strings.contracts.statuses.map((value) => ({ value, text: value })),
    { value: one.ContractStatus ?? one.Status ?? "Draft" },
  );
  const set = button(strings.contracts.setStatus, () =>
    notice.guard(async () => {
      await engine.call("setContractStatus", { id, status: status.input.value });
      notice.good(strings.contracts.statusSet(status.input.value));
    }),
  );
  const open = button(strings.contracts.link, () =>
    notice.guard(async () => {
      // Whatever the service answers, only an address of the web is followed.
      const url = new URL(await engine.call("contractLink", id));
      if (url.protocol === "https:" || url.protocol === "http:") window.open(url.href, "_blank", "noopener,noreferrer");
    }),
  );
  const showAgreement = button(strings.contracts.agreement, () =>
    notice.guard(async () => {
      const externalContractId = one.ExternalContractId ?? contractId;
      const found = await engine.call("agreement", { externalContractId, ...(company && { company }) });
      fill(agreement, found ? agreementPanel(found) : h("p", {}, strings.contracts.noAgreement));
    }),
  );
  return h(
    "section",
    { "aria-label": strings.contracts.detail(contractId) },
    h("h3", {}, strings.contracts.detail(contractId)),
    row(status.root, set, open, showAgreement),
    notice.root,
    agreement,
    properties(strings.contracts.fields, one),
  );
}

interface Agreement {
  header: Contract;
  lines: Contract[];
  validation: { valid: boolean; findings: { line?: number; field?: string; message: string }[] };
}

function agreementPanel({ header, lines, validation }: Agreement): HTMLElement {
  const columns = [...new Set(lines.flatMap((line) => Object.keys(line)))];
  return h(
    "section",
    {},
    h("h4", {}, strings.contracts.agreement),
    validation.findings.length === 0
      ? h("p", {}, strings.contracts.valid)
      : table(
          strings.contracts.findings,
          strings.contracts.findingHead,
          validation.findings.map(({ line, field, message }) => [
            line === undefined ? "" : String(line),
            field,
            message,
          ]),
        ),
    properties(strings.contracts.header, header),
    h("h5", {}, strings.contracts.lines),
    table(
      strings.contracts.lines,
      columns,
      lines.map((line) => columns.map((name) => line[name])),
    ),
  );
}

function properties(label: string, values: Contract): HTMLElement {
  return table(label, strings.contracts.fieldHead, Object.entries(values));
}
