/** A file of rows: which entity it is, what its columns mean, and the package that comes of it. */
import { fill, h } from "../dom.ts";
import type { Methods } from "../engine/methods.ts";
import { button, choice, field, row, setOptions, table } from "../parts/controls.ts";
import { download } from "../parts/download.ts";
import { findingList } from "../parts/findings.ts";
import { Notice } from "../parts/notice.ts";
import { ProgressLine } from "../parts/progress.ts";
import type { Session } from "../session.ts";
import { strings } from "../strings.ts";
import { importPanel } from "./import-panel.ts";

type Opened = Awaited<ReturnType<Methods["openTable"]>>;

export async function tablePanel(session: Session, file: File): Promise<HTMLElement> {
  const { engine } = session;
  const body = h("div", {});
  const notice = new Notice();
  const sheet = field(strings.mapping.sheet, { hint: strings.mapping.sheetHint });
  const read = async () => {
    const name = sheet.input.value.trim();
    const opened = await engine.call("openTable", { file, name: file.name, ...(name && { sheet: name }) });
    fill(body, await mappingPanel(session, file, opened));
  };
  const isWorkbook = /\.xlsx$/i.test(file.name);
  // A workbook of several sheets may be refused until one is named.
  if (isWorkbook) await notice.guard(read);
  else await read();
  return h(
    "section",
    {},
    h("h3", {}, strings.mapping.heading(file.name)),
    isWorkbook &&
      row(
        sheet.root,
        button(strings.mapping.reopen, () => notice.guard(read)),
      ),
    notice.root,
    body,
  );
}

async function mappingPanel(session: Session, file: File, opened: Opened): Promise<HTMLElement> {
  const { engine } = session;
  const { columns } = opened;
  const known = await engine.call("entities", undefined);
  const sorted = [...known].sort((a, b) => (a.label < b.label ? -1 : 1));
  const entity = choice(
    strings.mapping.entity,
    sorted.map(({ label, direction }) => ({
      value: label,
      text: `${label} (${strings.mapping.direction[direction]})`,
    })),
    { value: opened.entity ?? sorted[0]?.label ?? "" },
  );
  const selects = columns.map((column) => choice(strings.mapping.property(column), [], { hidden: true }));
  const told = h("p", { role: "status" });
  const mapping = () => selects.map(({ input }) => input.value || undefined);
  const tell = () => fill(told, strings.mapping.unmapped(mapping().filter((one) => one === undefined).length));
  async function suggest(): Promise<void> {
    const suggested = await engine.call("suggestMapping", { columns, entity: entity.input.value });
    const options = [
      { value: "", text: strings.mapping.leftOut },
      ...suggested.properties.map((text) => ({ value: text, text })),
    ];
    selects.forEach(({ input }, i) => {
      setOptions(input, options, suggested.mapping[i] ?? "");
    });
    tell();
  }
  for (const { input } of selects) input.addEventListener("change", tell);
  entity.input.addEventListener("change", () => void suggest());
  await suggest();

  const project = field(strings.mapping.project, {
    value: `CLM-${file.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9-]+/g, "-")}`.slice(0, 60),
    hint: strings.mapping.projectHint,
  });
  const notice = new Notice();
  const progress = new ProgressLine(strings.mapping.building);
  const result = h("div", {});
  async function build(rows?: string[][]): Promise<Blob> {
    const order = {
      name: project.input.value.trim(),
      entity: entity.input.value,
      mapping: mapping(),
      ...(rows && { rows }),
    };
    const call = engine.call("buildTable", order, { onProgress: progress.show });
    const { blob, rows: count, findings, more } = await call.finally(() => progress.hide());
    notice.good(strings.mapping.built(count, strings.bytes(blob.size)));
    fill(
      result,
      findingList(findings, more, { summary: true }),
      row(button(strings.mapping.download, () => download(blob, `${order.name}.zip`))),
    );
    return blob;
  }
  const imports = h("div", {});
  const start = button(
    strings.mapping.build,
    () =>
      notice.guard(async () => {
        fill(imports);
        await build();
        const used = mapping();
        fill(imports, importPanel(session, { columns, mapping: used, rebuild: (rows) => build(rows) }));
      }),
    { primary: true },
  );
  return h(
    "div",
    {},
    h("h4", {}, strings.mapping.first),
    table(strings.mapping.first, columns, opened.rows.slice(0, 5)),
    entity.root,
    h("h4", {}, strings.mapping.columns),
    table(
      strings.mapping.columns,
      strings.mapping.head,
      columns.map((column, i) => [column, selects[i]?.root]),
    ),
    told,
    project.root,
    row(start),
    progress.root,
    notice.root,
    result,
    imports,
  );
}
