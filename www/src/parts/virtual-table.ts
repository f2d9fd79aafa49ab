/** A long table of which only the rows in sight are elements; rows are asked for as they come into sight. */
import { fill, h } from "../dom.ts";
import { strings } from "../strings.ts";

const ROW_HEIGHT = 32;
const IN_SIGHT = 400;
/** Rows made beyond each edge, and rows asked for at a time. */
const MARGIN = 8;
const PIECE = 200;

/** Rows from `from` on: at most `count`; fewer only at the end. */
export type LoadRows = (from: number, count: number) => Promise<{ rows: string[][]; end: boolean }>;

export class VirtualTable {
  readonly root: HTMLElement;
  #rows: string[][] = [];
  #complete = false;
  #loading = false;
  #load: LoadRows;
  #body = h("div", { role: "rowgroup", class: "vbody" });
  #count = h("p", { class: "hint", role: "status" });
  #scroll: HTMLElement;
  #grid: HTMLElement;

  constructor(label: string, columns: readonly string[], load: LoadRows) {
    this.#load = load;
    const head = h("div", { role: "rowgroup" }, line("columnheader", columns, 1));
    this.#grid = h(
      "div",
      { role: "table", "aria-label": label, "aria-rowcount": -1, "aria-colcount": columns.length, class: "vgrid" },
      head,
      this.#body,
    );
    this.#scroll = h(
      "div",
      { class: "vscroll", tabindex: 0, role: "region", "aria-label": strings.table.region(label) },
      this.#grid,
    );
    this.#scroll.addEventListener("scroll", () => this.#draw());
    this.root = h("div", {}, this.#scroll, this.#count);
    void this.#more();
  }

  async #more(): Promise<void> {
    if (this.#loading || this.#complete) return;
    this.#loading = true;
    try {
      const { rows, end } = await this.#load(this.#rows.length, PIECE);
      this.#rows.push(...rows);
      this.#complete = end || rows.length === 0;
      fill(this.#count, strings.table.rows(this.#rows.length, this.#complete));
    } catch (error) {
      this.#complete = true;
      fill(
        this.#count,
        strings.table.broken(this.#rows.length, error instanceof Error ? error.message : String(error)),
      );
    } finally {
      this.#loading = false;
    }
    if (this.#complete) this.#grid.setAttribute("aria-rowcount", String(this.#rows.length + 1));
    this.#draw();
  }

  #draw(): void {
    const top = Math.max(0, Math.floor(this.#scroll.scrollTop / ROW_HEIGHT) - MARGIN);
    const height = this.#scroll.clientHeight || IN_SIGHT;
    const bottom = Math.min(this.#rows.length, top + Math.ceil(height / ROW_HEIGHT) + 2 * MARGIN);
    const rows = this.#rows.slice(top, bottom).map((cells, i) => line("cell", cells, top + i + 2));
    this.#body.style.paddingTop = `${top * ROW_HEIGHT}px`;
    this.#body.style.paddingBottom = `${(this.#rows.length - bottom) * ROW_HEIGHT}px`;
    fill(this.#body, ...rows);
    if (bottom === this.#rows.length) void this.#more();
  }
}

function line(role: "cell" | "columnheader", cells: readonly string[], index: number): HTMLElement {
  return h(
    "div",
    { role: "row", class: "vrow", "aria-rowindex": index },
    ...cells.map((text) => h("div", { role, class: "vcell", title: text }, text)),
  );
}
