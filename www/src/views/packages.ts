/** *Packages*: one file at a time, a package to be examined or a table to become one. */
import { fill, h } from "../dom.ts";
import type { View } from "../frame.ts";
import { dropZone } from "../parts/drop-zone.ts";
import { Notice } from "../parts/notice.ts";
import type { Session } from "../session.ts";
import { strings } from "../strings.ts";
import { packagePanel } from "./package-panel.ts";
import { tablePanel } from "./table-panel.ts";

export function packagesView(session: Session): View {
  const notice = new Notice();
  const panel = h("div", {});
  let taken = 0;

  async function take(file: File): Promise<void> {
    taken += 1;
    const mine = taken;
    fill(panel);
    notice.say(strings.packages.reading(file.name));
    try {
      const made = await read(file);
      if (mine !== taken) return;
      notice.clear();
      fill(panel, made);
    } catch (error) {
      if (mine === taken) notice.fail(error);
    }
  }

  async function read(file: File): Promise<HTMLElement> {
    if (/\.zip$/i.test(file.name))
      return packagePanel(session, file, await session.engine.call("openPackage", { file }));
    if (/\.(csv|txt|tsv|xlsx)$/i.test(file.name)) return tablePanel(session, file);
    throw new Error(strings.packages.unknown);
  }

  return {
    root: h(
      "div",
      {},
      dropZone((file) => void take(file)),
      notice.root,
      panel,
    ),
  };
}
