/** Buttons, fields and lists with their labels. */
import { type Child, fill, freshId, h } from "../dom.ts";

export interface Control<E extends HTMLElement> {
  root: HTMLElement;
  input: E;
}

/** `run` may take its time: meanwhile the button can't be pressed again. */
export function button(
  text: string,
  run: () => unknown,
  { primary = false, label }: { primary?: boolean; label?: string } = {},
): HTMLElement {
  // The role is the component's own already, but tools that look from outside see attributes only.
  const element = h(
    "fluent-button",
    { role: "button", appearance: primary ? "primary" : undefined, "aria-label": label },
    text,
  );
  element.addEventListener("click", async () => {
    if (element.hasAttribute("disabled")) return;
    element.setAttribute("disabled", "");
    try {
      await run();
    } finally {
      element.removeAttribute("disabled");
    }
  });
  return element;
}

export function field(
  label: string,
  { type = "text", value = "", hint }: { type?: string; value?: string; hint?: string } = {},
): Control<HTMLInputElement> {
  const id = freshId();
  const input = h("input", { id, type, autocomplete: "off", spellcheck: "false", class: "input" });
  input.value = value;
  return { root: labelled(id, label, input, hint), input };
}

export function choice(
  label: string,
  options: readonly { value: string; text: string }[],
  { value, hidden = false }: { value?: string; hidden?: boolean } = {},
): Control<HTMLSelectElement> {
  const id = freshId();
  const input = h("select", { id, class: "input", "aria-label": hidden ? label : undefined });
  setOptions(input, options, value);
  return { root: hidden ? input : labelled(id, label, input), input };
}

export function setOptions(
  select: HTMLSelectElement,
  options: readonly { value: string; text: string }[],
  value?: string,
): void {
  fill(select, ...options.map((one) => h("option", { value: one.value }, one.text)));
  if (value !== undefined) select.value = value;
}

function labelled(id: string, label: string, input: HTMLElement, hint?: string): HTMLElement {
  if (!hint) return h("div", { class: "field" }, h("label", { for: id }, label), input);
  input.setAttribute("aria-describedby", `${id}h`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    h("div", { id: `${id}h`, class: "hint" }, hint),
  );
}

export function row(...children: Child[]): HTMLElement {
  return h("div", { class: "row" }, ...children);
}

export function badge(text: string, kind: "error" | "warning" | "info" | "good"): HTMLElement {
  return h("span", { class: `badge ${kind}` }, text);
}

/** A small table; long ones are `VirtualTable`s. Wide ones scroll by themselves, by keyboard too. */
export function table(label: string, head: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, label),
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))))),
    ),
  );
}
