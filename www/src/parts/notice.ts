/** What went wrong or well, said where it happened and to a screen reader. */
import { fill, h } from "../dom.ts";
import { type Failure, failureOf } from "../engine/failure.ts";
import { strings } from "../strings.ts";

export class Notice {
  readonly root = h("div", { class: "notice", role: "status" });

  clear(): void {
    fill(this.root);
  }

  say(text: string): void {
    fill(this.root, bar("info", text));
  }

  good(text: string): void {
    fill(this.root, bar("success", text));
  }

  fail(error: unknown): void {
    const failure = failureOf(error);
    fill(this.root, bar("error", strings.failed(failure.code, failure.message), placeOf(failure), failure.hint));
  }

  /** Runs it, and says what it throws. */
  async guard<T>(run: () => Promise<T>): Promise<T | undefined> {
    this.clear();
    try {
      return await run();
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }
}

function bar(intent: string, ...lines: (string | undefined)[]): HTMLElement {
  return h(
    "fluent-message-bar",
    { intent, layout: "multiline" },
    ...lines.filter((line) => line !== undefined && line !== "").map((line) => h("div", {}, line)),
  );
}

function placeOf({ at }: Failure): string | undefined {
  if (!at) return undefined;
  return strings.place(at.file ?? at.entity, at.line, at.column);
}
