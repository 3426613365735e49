import { byId } from "./elements.ts";

/** What the keys do; each is told of in the dialog of the page. */
export type KeyActions = Record<
  "search" | "next" | "previous" | "follow" | "wrap" | "times" | "begin" | "end" | "all" | "escape",
  () => void
>;

const KEYS: Record<string, keyof KeyActions> = {
  "/": "search",
  n: "next",
  N: "previous",
  f: "follow",
  w: "wrap",
  t: "times",
  g: "begin",
  Home: "begin",
  G: "end",
  End: "end",
  Escape: "escape",
};
/** They scroll the log wherever on the page they are pressed. */
const SCROLLING = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", " "];

export function connectKeys(actions: KeyActions): void {
  const log = byId("log", HTMLElement);
  const dialog = byId("keys", HTMLDialogElement);
  byId("help", HTMLButtonElement).addEventListener("click", () => dialog.showModal());
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    const isElsewhere = target instanceof Element && target.closest("input, summary, a, button");
    if (event.ctrlKey || event.metaKey) {
      if (key.toLowerCase() !== "a" || isElsewhere) return;
      actions.all();
    } else if (target instanceof HTMLInputElement) return;
    else if (key === "?") dialog.showModal();
    else if (KEYS[key] !== undefined) actions[KEYS[key]]();
    else {
      if (SCROLLING.includes(key) && !isElsewhere) log.focus({ preventScroll: true });
      return;
    }
    event.preventDefault();
  });
}
