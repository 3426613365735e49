/**
 * The words of a text as the search knows them: runs of letters and digits of any script, in lower
 * case and one normal form. All else, `-`, `_` and `.` among it, parts them.
 */
export function wordsOf(text: string): string[] {
  const words = text
    .normalize("NFKC")
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu);
  return [...new Set(words ?? [])];
}
