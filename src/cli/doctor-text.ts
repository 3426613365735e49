import type { Finding, Level } from "../doctor/finding.ts";
import type { Colours } from "../terminal/colours.ts";
import { safeJson } from "../terminal/safe-json.ts";
import { safeLine } from "../terminal/safe-text.ts";

const SIGNS = {
  ok: { sign: "✓", colour: "green" },
  warning: { sign: "!", colour: "yellow" },
  problem: { sign: "✗", colour: "red" },
} as const satisfies Record<Level, { sign: string; colour: keyof Colours }>;

/** A finding for people: the advice stands below it. */
export function linesOf({ subject, level, message, advice }: Finding, colours: Colours): string[] {
  const { sign, colour } = SIGNS[level];
  const head = `${colours[colour](sign)} ${colours.bold(safeLine(subject))}: ${safeLine(message)}`;
  return advice === null ? [head] : [head, `    ${safeLine(advice)}`];
}

/** `2 problems, 1 warning; 14 checks found nothing wrong`. */
export function summaryOf(findings: readonly Finding[]): string {
  const { problems, warnings, ok } = countsOf(findings);
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${count(problems, "problem")}, ${count(warnings, "warning")}; ${ok} looked at and well`;
}

export function jsonOf(findings: readonly Finding[]): string {
  return safeJson({ summary: countsOf(findings), findings });
}

function countsOf(findings: readonly Finding[]) {
  const count = (wanted: Level) => findings.filter(({ level }) => level === wanted).length;
  return { problems: count("problem"), warnings: count("warning"), ok: count("ok") };
}
