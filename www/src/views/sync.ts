/** *Sync*: entities and companies as a grid, and a pass at once. */
import { fill, h } from "../dom.ts";
import type { WithoutTracking } from "../engine/sync-desk.ts";
import type { View } from "../frame.ts";
import { button, choice, row, table } from "../parts/controls.ts";
import { Notice } from "../parts/notice.ts";
import { ProgressLine } from "../parts/progress.ts";
import { type Point, Timeline } from "../parts/timeline.ts";
import type { Session } from "../session.ts";
import { strings } from "../strings.ts";
import { needing } from "./needs.ts";

export function syncView(session: Session): View {
  return needing(session, { sync: "sync()" }, ({ company }) => {
    const { engine } = session;
    const companies = company ? [company] : [];
    const notice = new Notice();
    const progress = new ProgressLine(strings.sync.running);
    const grid = h("div", {});
    const chart = new Timeline();
    const history: Point[] = [];

    const untracked = choice(
      strings.sync.untracked,
      Object.entries(strings.sync.untrackedWays).map(([value, text]) => ({ value, text })),
    );

    async function draw(): Promise<void> {
      const lines = await engine.call("syncStatus", { companies });
      const rows = lines.map(({ entity, company = "", transport, lastRun, rows, pending }) => [
        entity,
        company,
        transport,
        strings.time(lastRun),
        strings.number(rows),
        pending ? strings.sync.yes : strings.sync.no,
      ]);
      fill(grid, rows.length > 0 ? table(strings.sync.grid, strings.sync.head, rows) : h("p", {}, strings.sync.none));
    }
    const run = button(
      strings.sync.run,
      () =>
        notice.guard(async () => {
          const at = new Date().toISOString();
          const call = engine.call(
            "syncRun",
            { companies, withoutTracking: untracked.input.value as WithoutTracking },
            { onProgress: progress.show },
          );
          const counts = await call.finally(() => progress.hide());
          const rows = counts.reduce((sum, one) => sum + one.rows, 0);
          const deleted = counts.reduce((sum, one) => sum + one.deleted, 0);
          history.push({ at, rows, errors: 0 });
          chart.show([...history]);
          await draw();
          notice.good(strings.sync.passed(rows, deleted));
        }),
      { primary: true },
    );
    void notice.guard(draw);
    return h(
      "section",
      {},
      h("h3", {}, strings.sync.heading),
      h("p", { class: "hint" }, strings.sync.hint),
      row(
        run,
        button(strings.sync.refresh, () => notice.guard(draw)),
      ),
      progress.root,
      notice.root,
      grid,
      h("h4", {}, strings.sync.history),
      chart.root,
    );
  });
}
