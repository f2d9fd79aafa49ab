/** The look: Fluent's tokens, dark or light as the system says or the person chose for this visit. */
import { webDarkTheme, webLightTheme } from "@fluentui/tokens";
import { setTheme } from "@fluentui/web-components/theme/set-theme.js";

export type Look = "system" | "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");
let look: Look = "system";

export function startTheme(): void {
  apply();
  dark.addEventListener("change", apply);
}

export function setLook(next: Look): void {
  look = next;
  apply();
}

/** Told after the look has changed. */
export function onLook(call: () => void): void {
  document.addEventListener("look", call);
}

function apply(): void {
  const isDark = look === "dark" || (look === "system" && dark.matches);
  setTheme(isDark ? webDarkTheme : webLightTheme);
  document.documentElement.style.colorScheme = isDark ? "dark" : "light";
  document.dispatchEvent(new Event("look"));
}
