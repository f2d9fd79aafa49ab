/** Takes a file by dropping it or by choosing it; only its handle, never its bytes. */
import { h } from "../dom.ts";
import { strings } from "../strings.ts";

export function dropZone(take: (file: File) => void): HTMLElement {
  const input = h("input", { type: "file", accept: ".zip,.csv,.txt,.tsv,.xlsx", id: "package-file" });
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) take(file);
    input.value = "";
  });
  const zone = h(
    "div",
    { class: "drop" },
    h("label", { for: "package-file" }, strings.packages.choose),
    input,
    h("p", { class: "hint" }, strings.packages.drop),
  );
  const over = (on: boolean) => (event: Event) => {
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
  return zone;
}
