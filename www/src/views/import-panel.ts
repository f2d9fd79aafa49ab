/** The import of the package that was built last, and what came of it. */
import { fill, h } from "../dom.ts";
import type { ImportEnd } from "../engine/jobs-desk.ts";
import { button, row, table } from "../parts/controls.ts";
import { Notice } from "../parts/notice.ts";
import { ProgressLine } from "../parts/progress.ts";
import type { Session } from "../session.ts";
import { strings } from "../strings.ts";

interface Source {
  columns: readonly string[];
  mapping: readonly (string | undefined)[];
  /** Builds a package of these rows, in the order of `columns`. */
  rebuild(rows: string[][]): Promise<unknown>;
}

export function importPanel(session: Session, source: Source): HTMLElement {
  const notice = new Notice();
  const progress = new ProgressLine(strings.import.label);
  const result = h("div", {});
  let controller: AbortController | undefined;
  const stop = button(strings.import.stop, () => controller?.abort());
  stop.hidden = true;

  async function run(): Promise<void> {
    if (!session.connected) throw new Error(strings.session.needed);
    fill(result);
    controller = new AbortController();
    stop.hidden = false;
    try {
      const { signal } = controller;
      const end = await session.engine.call("importBuilt", undefined, { onProgress: progress.show, signal });
      notice.say(strings.import.done(end.status));
      fill(
        result,
        endPanel(end),
        rejectedPanel(end, source, (rows) => again(rows)),
      );
    } finally {
      stop.hidden = true;
      progress.hide();
    }
  }
  const again = (rows: string[][]) =>
    notice.guard(async () => {
      await source.rebuild(rows);
      await run();
    });
  return h(
    "section",
    { "aria-label": strings.import.heading },
    h("h4", {}, strings.import.heading),
    row(
      button(strings.import.start, () => notice.guard(run), { primary: true }),
      stop,
    ),
    progress.root,
    notice.root,
    result,
  );
}

/** What the service did, by entity. */
export function endPanel({ entities }: ImportEnd): HTMLElement {
  const count = (value: number | undefined) => (value === undefined ? "–" : strings.number(value));
  return table(
    strings.import.result,
    strings.import.head,
    entities.map((one) => [one.entity, one.status, count(one.created), count(one.updated), count(one.errors)]),
  );
}

/** The rows that the service refused: to be corrected where their values are known. */
function rejectedPanel(
  { rejected }: ImportEnd,
  { columns, mapping }: Source,
  send: (rows: string[][]) => unknown,
): Node {
  if (rejected.length === 0) return document.createDocumentFragment();
  const used = columns.flatMap((_, i) => (mapping[i] === undefined ? [] : [{ i, property: mapping[i] as string }]));
  const edited: HTMLInputElement[][] = [];
  const seen = new Set<string>();
  const rows = rejected.map(({ key, field, reason, row: found }) => {
    const why = field ? `${field}: ${reason}` : reason;
    // Several reasons for one record: it is sent once.
    const first = !seen.has(key);
    seen.add(key);
    if (!found || !first) return [key, why, ...used.map(() => "")];
    const inputs = used.map(({ property }) => {
      const input = h("input", { class: "input", "aria-label": strings.import.cell(property, key) });
      input.value = found[property] ?? found[property.toUpperCase()] ?? "";
      return input;
    });
    edited.push(inputs);
    return [key, why, ...inputs];
  });
  const corrected = () =>
    edited.map((inputs) => {
      const cells = columns.map(() => "");
      used.forEach(({ i }, at) => {
        cells[i] = inputs[at]?.value ?? "";
      });
      return cells;
    });
  return h(
    "section",
    {},
    h("h5", {}, strings.import.rejected),
    h("p", {}, edited.length > 0 ? strings.import.rejectedHint : strings.import.unmatched),
    table(strings.import.rejected, [...strings.import.rejectedHead, ...used.map(({ property }) => property)], rows),
    edited.length > 0 && button(strings.import.resend, () => send(corrected()), { primary: true }),
  );
}
