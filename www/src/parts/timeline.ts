/** Runs over time as bars: how many rows, how many errors. The table beside it tells the same in words. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { fill, h } from "../dom.ts";
import { strings } from "../strings.ts";
import { onLook } from "../theme.ts";

export interface Point {
  /** ISO 8601. */
  at: string;
  rows: number;
  errors: number;
}

const HEIGHT = 180;
const NARROWEST = 240;

export class Timeline {
  readonly root = h("figure", { class: "timeline", hidden: true });
  #canvas = h("div", { role: "img" });
  #caption = h("figcaption", { class: "hint" });
  #points: Point[] = [];
  #plot: uPlot | undefined;

  constructor() {
    fill(this.root, this.#canvas, this.#caption);
    // Colours are those of the look, and a canvas knows no styles.
    onLook(() => this.#draw());
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#width(), height: HEIGHT })).observe(this.root);
  }

  show(points: Point[]): void {
    this.#points = points.filter(({ at }) => !Number.isNaN(Date.parse(at))).sort((a, b) => (a.at < b.at ? -1 : 1));
    this.root.hidden = this.#points.length === 0;
    const sum = (of: "rows" | "errors") => this.#points.reduce((all, one) => all + one[of], 0);
    this.#canvas.setAttribute("aria-label", strings.jobs.chart);
    fill(this.#caption, strings.jobs.chartText(this.#points.length, sum("rows"), sum("errors")));
    this.#draw();
  }

  #width(): number {
    return Math.max(NARROWEST, this.root.clientWidth);
  }

  #draw(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#points.length === 0) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (token: string) => style.getPropertyValue(`--${token}`).trim() || "gray";
    const axis = { stroke: colour("colorNeutralForeground1"), grid: { stroke: colour("colorNeutralStroke2") } };
    const bars = uPlot.paths.bars?.({ size: [0.6, 40] });
    const series = (label: string, token: string) => ({
      label,
      stroke: colour(token),
      fill: colour(token),
      ...(bars && { paths: bars }),
      points: { show: false },
    });
    const times = this.#points.map(({ at }) => Date.parse(at) / 1000);
    const first = times[0] ?? 0;
    const last = times.at(-1) ?? first;
    const margin = Math.max(60, (last - first) * 0.05);
    this.#plot = new uPlot(
      {
        width: this.#width(),
        height: HEIGHT,
        axes: [axis, axis],
        scales: {
          x: { range: () => [first - margin, last + margin] },
          y: { range: (_, __, top) => [0, Math.max(1, top ?? 1)] },
        },
        legend: { show: false },
        cursor: { show: false },
        series: [
          {},
          // The bar of both together, and before it that of the rows: what stands out above are the errors.
          series(strings.jobs.chartErrors, "colorPaletteRedBackground3"),
          series(strings.jobs.chartRows, "colorBrandBackground"),
        ],
      },
      [times, this.#points.map(({ rows, errors }) => rows + errors), this.#points.map(({ rows }) => rows)],
      this.#canvas,
    );
  }
}
