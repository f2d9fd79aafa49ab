/** A package: its entities, their first rows, and what the doctor says. */
import { fill, h } from "../dom.ts";
import type { Methods } from "../engine/methods.ts";
import { button, table } from "../parts/controls.ts";
import { download } from "../parts/download.ts";
import { findingList } from "../parts/findings.ts";
import { Notice } from "../parts/notice.ts";
import { ProgressLine } from "../parts/progress.ts";
import { VirtualTable } from "../parts/virtual-table.ts";
import type { Session } from "../session.ts";
import { strings } from "../strings.ts";

type Summary = Awaited<ReturnType<Methods["openPackage"]>>;

export function packagePanel(session: Session, file: File, summary: Summary): HTMLElement {
  const rows = h("div", {});
  const showRows = (index: number) => {
    const entity = summary.entities[index];
    if (!entity) return;
    const label = strings.packages.rowsOf(entity.entity);
    const grid = new VirtualTable(label, entity.columns, (from, count) =>
      session.engine.call("packageRows", { entity: index, from, count }),
    );
    fill(rows, h("h4", {}, label), grid.root);
  };
  const entities = summary.entities.map(({ entity, fileName, format, columns, size }, index) => [
    entity,
    fileName,
    format,
    String(columns.length),
    strings.bytes(size),
    button(strings.packages.showRows, () => showRows(index), { label: `${strings.packages.showRows}: ${entity}` }),
  ]);
  const files = summary.files.map((one) => [one.name, strings.bytes(one.size), strings.bytes(one.compressedSize)]);
  return h(
    "section",
    {},
    h("h3", {}, strings.packages.heading(summary.name || file.name)),
    summary.description && h("p", {}, summary.description),
    table(strings.packages.entities, strings.packages.head, entities),
    rows,
    doctor(session, file),
    h("h4", {}, strings.packages.files),
    table(strings.packages.files, strings.packages.filesHead, files),
  );
}

function doctor(session: Session, file: File): HTMLElement {
  const notice = new Notice();
  const progress = new ProgressLine(strings.packages.examining);
  const findings = h("div", {});
  const changes = h("div", {});
  const repair = button(strings.packages.repair, () =>
    notice.guard(async () => {
      const call = session.engine.call("repairPackage", undefined, { onProgress: progress.show });
      const { blob, findings: made, more } = await call.finally(() => progress.hide());
      download(blob, file.name.replace(/\.zip$/i, "-repaired.zip"));
      notice.good(strings.packages.repaired(made.length + more));
      fill(changes, made.length > 0 && h("h5", {}, strings.packages.changes), findingList(made, more));
    }),
  );
  repair.hidden = true;

  void notice.guard(async () => {
    const call = session.engine.call("diagnosePackage", undefined, { onProgress: progress.show });
    const { findings: found, more } = await call.finally(() => progress.hide());
    const jump = async (name: string, line: number) => session.engine.call("packageLines", { file: name, line });
    fill(findings, findingList(found, more, { summary: true, jump }));
    repair.hidden = !found.some(({ repairable }) => repairable);
  });
  return h(
    "section",
    { "aria-label": strings.packages.doctor },
    h("h4", {}, strings.packages.doctor),
    progress.root,
    findings,
    repair,
    notice.root,
    changes,
  );
}
