import { coloursOf, DARK, LIGHT } from "./colours.ts";
import type { Line } from "./log-lines.ts";
import type { Matches } from "./matches.ts";
import { type Segment, segmentsOf } from "./segments.ts";
import type { Style } from "./sgr.ts";
import { clockTime } from "./times.ts";

export interface RowOptions {
  withTimes: boolean;
  matches: Matches | null;
  /** Of the row's matches the one that the reader is at; `null` for none of them. */
  matchNow: number | null;
}

/** A line as it is shown. Whatever it says becomes text, and nothing else. */
export function rowElement(line: Line, options: RowOptions): HTMLElement {
  const row = document.createElement("div");
  row.className = `row ${line.kind}`;
  row.dataset["number"] = line.number === null ? "" : String(line.number);
  if (line.kind === "stderr" || line.kind === "pull") row.append(hidden(`${line.kind}: `));
  if (options.withTimes) row.append(timeElement(line));
  const text = document.createElement("span");
  text.className = "text";
  text.append(...contentOf(line, options));
  row.append(text);
  if (options.matchNow !== null) row.classList.add("now");
  return row;
}

function contentOf({ pieces }: Line, { matches, matchNow }: RowOptions): Node[] {
  const whole = pieces.map(({ text }) => text).join("");
  const segments = segmentsOf(pieces, matches?.ranges(whole) ?? []);
  return segments.map((segment) => {
    const node = styled(segment);
    if (segment.match === null) return node;
    const mark = document.createElement("mark");
    if (segment.match === matchNow) mark.className = "now";
    mark.append(segment.isControl ? node : segment.text);
    return mark;
  });
}

function styled({ text, style, isControl }: Segment): Node {
  const classes = [
    ...(isControl ? ["control"] : []),
    ...(["bold", "italic", "underline"] as const).filter((name) => style[name]),
  ];
  const { foreground, background } = cssColours(style);
  if (classes.length === 0 && foreground === null && background === null) {
    return document.createTextNode(text);
  }
  const span = document.createElement("span");
  span.className = classes.join(" ");
  if (foreground !== null && !isControl) span.style.color = foreground;
  if (background !== null && !isControl) span.style.backgroundColor = background;
  span.append(text);
  return span;
}

interface CssColours {
  foreground: string | null;
  background: string | null;
}
const known = new WeakMap<Style, CssColours>();

/** Of both faces: the stylesheet's color-scheme says which counts. */
function cssColours(style: Style): CssColours {
  const found = known.get(style);
  if (found !== undefined) return found;
  const light = coloursOf(style, LIGHT);
  const dark = coloursOf(style, DARK);
  const both = (name: keyof CssColours) =>
    light[name] === null || dark[name] === null
      ? null
      : `light-dark(${light[name]}, ${dark[name]})`;
  const colours = { foreground: both("foreground"), background: both("background") };
  known.set(style, colours);
  return colours;
}

function timeElement({ at }: Line): HTMLElement {
  const time = document.createElement("span");
  time.className = "at";
  if (at === null) return time;
  time.dataset["at"] = clockTime(at);
  time.title = new Date(at).toISOString();
  return time;
}

function hidden(words: string): HTMLElement {
  const span = document.createElement("span");
  span.className = "hide";
  span.textContent = words;
  return span;
}
