/** Findings of a doctor as a list, with what to do and a way to the line. */
import type { Diagnostic } from "d365-clm";
import { fill, h } from "../dom.ts";
import { strings } from "../strings.ts";
import { badge, button, table } from "./controls.ts";
import { Notice } from "./notice.ts";

interface Options {
  /** Whether the numbers are told. */
  summary?: boolean;
  clean?: string;
  /** Numbered lines around a line. */
  jump?: (file: string, line: number) => Promise<string[][]>;
}

export function findingList(findings: readonly Diagnostic[], more: number, options: Options = {}): HTMLElement {
  const count = (severity: Diagnostic["severity"]) => findings.filter((one) => one.severity === severity).length;
  const summary =
    findings.length === 0
      ? (options.clean ?? strings.packages.clean)
      : strings.packages.found(count("error"), count("warning"), count("info"));
  return h(
    "div",
    {},
    options.summary && h("p", { role: "status" }, summary),
    h("ul", { class: "findings" }, ...findings.map((one) => item(one, options))),
    more > 0 && h("p", {}, strings.packages.more(more)),
  );
}

function item(
  { code, severity, message, hint, repairable, file, entity, line, column }: Diagnostic,
  { jump }: Options,
): HTMLElement {
  const place = strings.place(file ?? entity, line, column);
  const lines = h("div", {});
  const notice = new Notice();
  const jumpTo = (name: string, number: number, go: NonNullable<Options["jump"]>) =>
    button(strings.packages.jump(name, number), () =>
      notice.guard(async () => {
        const found = await go(name, number);
        const rows = found.map(([at = "", text = ""]) => [
          at === String(number) ? h("strong", {}, at) : at,
          h("code", {}, text),
        ]);
        fill(lines, table(strings.packages.linesOf(name), strings.packages.lineHead, rows));
      }),
    );
  return h(
    "li",
    {},
    h(
      "div",
      { class: "row" },
      badge(strings.packages.severity[severity], severity),
      h("code", {}, code),
      repairable && badge(strings.packages.repairable, "good"),
    ),
    h("p", {}, message),
    h("p", { class: "hint" }, hint),
    place && h("p", { class: "hint" }, place),
    jump && file && line !== undefined && jumpTo(file, line, jump),
    notice.root,
    lines,
  );
}
