/** Makes elements. Text goes in as text nodes alone: nothing that a service says is ever read as HTML. */
export type Child = Node | string | undefined | false;
type Value = string | number | boolean | undefined;

export interface Props {
  class?: string;
  on?: Record<string, (event: Event) => void>;
  [attribute: string]: Value | Record<string, (event: Event) => void>;
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props,
  ...children: Child[]
): HTMLElementTagNameMap[K];
export function h(tag: string, props?: Props, ...children: Child[]): HTMLElement;
export function h(tag: string, props: Props = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") continue;
    if (value === true) element.setAttribute(name, "");
    else if (typeof value === "string" || typeof value === "number") element.setAttribute(name, String(value));
  }
  for (const [type, listener] of Object.entries(props.on ?? {})) element.addEventListener(type, listener);
  fill(element, ...children);
  return element;
}

/** Replaces everything in the element. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => Boolean(child) || child === ""));
}

let last = 0;
/** An id that no other element has. */
export function freshId(): string {
  last += 1;
  return `x${last}`;
}
