import { html } from "hono/html";

/** Drawn on 16 by 16, by strokes of the colour of the text beside them. */
const ICONS = {
  search: "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9M10.5 10.5L14 14",
  up: "M3.5 10L8 5.5l4.5 4.5",
  down: "M3.5 6L8 10.5L12.5 6",
  leave: "M4 4l8 8M12 4l-8 8",
  clock: "M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M8 5v3.2l2.2 1.4",
  wrap: "M2 3.5h12M2 8h9.5a2.25 2.25 0 0 1 0 4.5H8M9.8 10.4L7.6 12.5l2.2 2M2 12.5h2.5",
  follow: "M8 2v8M4.5 7L8 10.5L11.5 7M3 14h10",
  download: "M8 2v8M4.5 7L8 10.5L11.5 7M2.5 11v2.5h11V11",
  stop: "M4 4h8v8H4z",
  retry: "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.8v3h-3",
  help: "M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M6.2 6.4a1.9 1.9 0 1 1 2.7 1.8c-.6.3-.9.6-.9 1.2M8 11.6v.1",
  face: "M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M8 2v12M8 5h4.9M8 8h6M8 11h4.9",
  waiting: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M5.4 8v.1M8 8v.1M10.6 8v.1",
  enqueued: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M5.4 8v.1M8 8v.1M10.6 8v.1",
  pulling: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M8 5v5M5.8 8.2L8 10.4l2.2-2.2",
  running: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  done: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M5.4 8.2l1.8 1.9l3.5-4",
  failed: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M6 6l4 4M10 6l-4 4",
  timedout: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M8 5v3.2l2 1.6",
  stopped: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M6.2 6.2h3.6v3.6H6.2z",
  expired: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M8 5v3.5M8 10.9v.1",
} as const;
type IconName = keyof typeof ICONS;

/** The drawings themselves, for all that refer to them. */
export function iconSheet() {
  return html`<svg class="sheet" aria-hidden="true">${Object.entries(ICONS).map(
    ([name, path]) =>
      html`<symbol id="icon-${name}" viewBox="0 0 16 16"><path d="${path}"/></symbol>`,
  )}</svg>`;
}

/** @param kind A class of its own. */
export function icon(
  kind: IconName | "state",
  name: IconName = kind === "state" ? "waiting" : kind,
) {
  return html`<svg class="icon ${kind}" aria-hidden="true"><use href="#icon-${name}"/></svg>`;
}

/** The icon of the page: a lane with its middle line. */
export const PAGE_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5c7a"/><path d="M8 9h16M8 16h10M8 23h13" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>`;
