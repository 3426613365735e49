import { cut } from "./table.ts";

const TO_OTHER_SCREEN = "\u001b[?1049h\u001b[?25l";
const BACK = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

export interface Live {
  /** Where it is drawn; in place where that is a terminal, else one below the other. */
  out: NodeJS.WriteStream;
  everyMs: number;
  /** Ends it. */
  signal: AbortSignal;
  /** Whole lines, for a terminal as it is at that time. It must not throw. */
  draw(): Promise<string>;
}

/**
 * Draws again and again until the signal, or until nobody reads it any more. What was on the
 * terminal before is there again then.
 */
export async function drawAgainAndAgain({
  out,
  everyMs,
  signal: asked,
  draw,
}: Live): Promise<void> {
  const unread = new AbortController();
  out.on("error", () => unread.abort());
  const signal = AbortSignal.any([asked, unread.signal]);
  const ended = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  const isInPlace = out.isTTY === true;
  if (isInPlace) out.write(TO_OTHER_SCREEN);
  // Whatever ends the process, the terminal is left as it was.
  const restore = () => out.write(BACK);
  if (isInPlace) process.once("exit", restore);
  try {
    while (!signal.aborted) {
      // A server that is slow to answer keeps nobody here.
      const text = await Promise.race([draw(), ended]);
      if (text === null) break;
      out.write(isInPlace ? framed(text, out) : text);
      await pause(out, everyMs, signal);
    }
  } finally {
    if (isInPlace) {
      process.off("exit", restore);
      restore();
    }
  }
}

/** What fits on the screen, each line over the one that was there. */
function framed(text: string, { columns, rows }: NodeJS.WriteStream): string {
  const lines = text.trimEnd().split("\n");
  const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), "…"];
  return `${HOME}${shown.map((line) => CLEAR_LINE + cut(line, columns)).join("\n")}${CLEAR_BELOW}`;
}

/** Until it is time to draw again: at once when the terminal has another size. */
async function pause(out: NodeJS.WriteStream, ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  out.once("resize", over.resolve);
  signal.addEventListener("abort", () => over.resolve(), { once: true });
  await over.promise;
  clearTimeout(timer);
  out.off("resize", over.resolve);
}
