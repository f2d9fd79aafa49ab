/** How far something is. */
import { fill, h } from "../dom.ts";
import type { Told } from "../engine/protocol.ts";
import { strings } from "../strings.ts";

export class ProgressLine {
  readonly root = h("div", { class: "progress", hidden: true });
  #bar: HTMLElement;
  #text = h("span", { role: "status" });

  constructor(label: string) {
    this.#bar = h("fluent-progress-bar", {
      role: "progressbar",
      "aria-label": label,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    });
    fill(this.root, this.#bar, this.#text);
  }

  readonly show = ({ stage, done, total, unit, status }: Told): void => {
    this.root.hidden = false;
    const percent = total ? Math.min(100, Math.round((100 * (done ?? 0)) / total)) : undefined;
    if (percent === undefined) {
      this.#bar.removeAttribute("value");
      this.#bar.removeAttribute("aria-valuenow");
    } else {
      this.#bar.setAttribute("value", String(percent));
      this.#bar.setAttribute("aria-valuenow", String(percent));
    }
    fill(this.#text, strings.progress(stage, done, total, unit, status));
  };

  hide(): void {
    this.root.hidden = true;
  }
}
