/** *Jobs*: the imports that this browser began, and the runs that the service remembers. */
import { fill, h } from "../dom.ts";
import type { Methods } from "../engine/methods.ts";
import type { View } from "../frame.ts";
import { button, row, table } from "../parts/controls.ts";
import { Notice } from "../parts/notice.ts";
import { ProgressLine } from "../parts/progress.ts";
import { Timeline } from "../parts/timeline.ts";
import type { Session } from "../session.ts";
import { strings } from "../strings.ts";
import { endPanel } from "./import-panel.ts";

type Kept = Awaited<ReturnType<Methods["keptJobs"]>>[number];
type Ran = Awaited<ReturnType<Methods["runs"]>>[number];

export function jobsView(session: Session): View {
  const mine = keptPanel(session);
  const all = runsPanel(session);
  return {
    root: h("div", {}, mine.root, all.root),
    shown: () => {
      mine.shown?.();
      all.shown?.();
    },
  };
}

function keptPanel(session: Session): View {
  const { engine } = session;
  const notice = new Notice();
  const progress = new ProgressLine(strings.import.label);
  const list = h("div", {});
  const end = h("div", {});

  async function draw(): Promise<void> {
    const jobs = await engine.call("keptJobs", undefined);
    fill(
      list,
      jobs.length === 0
        ? h("p", {}, strings.jobs.mineNone)
        : table(strings.jobs.mine, strings.jobs.mineHead, jobs.map(line)),
    );
  }
  function line(job: Kept) {
    const state = job.status ?? (job.driven ? strings.jobs.under : strings.jobs.open);
    const count = (value: number | undefined) => (value === undefined ? "–" : strings.number(value));
    const goOn =
      !job.ended &&
      !job.driven &&
      button(strings.jobs.resume, () => resume(job.id), { label: strings.jobs.resumeOf(job.project) });
    const forget =
      !job.driven && button(strings.jobs.forget, () => drop(job.id), { label: strings.jobs.forgetOf(job.project) });
    return [
      strings.time(job.started),
      job.project,
      job.entity,
      state,
      count(job.rows),
      count(job.rejected),
      row(goOn, forget),
    ];
  }
  const resume = (id: string) =>
    notice.guard(async () => {
      if (!session.connected) throw new Error(strings.session.needed);
      fill(end);
      const call = engine.call("resumeImport", { id }, { onProgress: progress.show });
      try {
        const result = await call;
        notice.say(strings.import.done(result.status));
        fill(end, endPanel(result));
      } finally {
        progress.hide();
        await draw();
      }
    });
  const drop = (id: string) =>
    notice.guard(async () => {
      await engine.call("forgetImport", { id });
      await draw();
    });
  return {
    root: h("section", {}, h("h3", {}, strings.jobs.mine), list, progress.root, notice.root, end),
    shown: () => void notice.guard(draw),
  };
}

function runsPanel(session: Session): View {
  const { engine } = session;
  const notice = new Notice();
  const chart = new Timeline();
  const list = h("div", {});
  const errors = h("div", {});
  const refresh = button(strings.jobs.refresh, () => notice.guard(draw));

  async function draw(): Promise<void> {
    fill(errors);
    if (!session.connected) {
      fill(list, h("p", {}, strings.session.needed));
      chart.show([]);
      return;
    }
    const runs = await engine.call("runs", undefined);
    chart.show(runs.flatMap(({ started, rows, errors }) => (started ? [{ at: started, rows, errors }] : [])));
    fill(
      list,
      runs.length === 0 ? h("p", {}, strings.jobs.none) : table(strings.jobs.all, strings.jobs.head, runs.map(line)),
    );
  }
  function line(run: Ran) {
    const why =
      run.errors > 0 &&
      button(strings.jobs.errors, () => notice.guard(() => showErrors(run)), {
        label: strings.jobs.errorsOf(run.project),
      });
    return [
      strings.time(run.started),
      run.project,
      run.entities.join(", "),
      run.status,
      strings.number(run.rows),
      strings.number(run.errors),
      why,
    ];
  }
  async function showErrors({ executionId, project }: Ran): Promise<void> {
    const found = await engine.call("runErrors", { id: executionId });
    fill(
      errors,
      h("h4", {}, strings.jobs.errorsOf(project)),
      found.length === 0
        ? h("p", {}, strings.jobs.noErrors)
        : table(
            strings.jobs.errorsOf(project),
            strings.jobs.errorHead,
            found.map((one) => [one.recordId, one.field, one.message]),
          ),
    );
  }
  return {
    root: h("section", {}, h("h3", {}, strings.jobs.all), row(refresh), notice.root, chart.root, list, errors),
    shown: () => void notice.guard(draw),
  };
}
