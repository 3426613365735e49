import type { Finding, Level } from "../doctor/finding.ts";

const SIGNS: Record<Level, { sign: string; colour: number }> = {
  ok: { sign: "✓", colour: 32 },
  warning: { sign: "!", colour: 33 },
  problem: { sign: "✗", colour: 31 },
};

/** A finding for people: the advice stands below it. @param paint For a terminal, in colours. */
export function linesOf({ subject, level, message, advice }: Finding, paint: boolean): string[] {
  const { sign, colour } = SIGNS[level];
  const painted = (text: string, code: number) =>
    paint ? `\u001b[${code}m${text}\u001b[0m` : text;
  const head = `${painted(sign, colour)} ${painted(subject, 1)}: ${harmless(message)}`;
  return advice === null ? [head] : [head, `    ${harmless(advice)}`];
}

/** `2 problems, 1 warning; 14 checks found nothing wrong`. */
export function summaryOf(findings: readonly Finding[]): string {
  const { problems, warnings, ok } = countsOf(findings);
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${count(problems, "problem")}, ${count(warnings, "warning")}; ${ok} looked at and well`;
}

export function jsonOf(findings: readonly Finding[]): string {
  return JSON.stringify({ summary: countsOf(findings), findings }, null, 2);
}

function countsOf(findings: readonly Finding[]) {
  const count = (wanted: Level) => findings.filter(({ level }) => level === wanted).length;
  return { problems: count("problem"), warnings: count("warning"), ok: count("ok") };
}

/** What a server said must not move the terminal's cursor. */
function harmless(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").replace(/\p{Cc}/gu, "\u{fffd}");
}
