/**
 * How much of a limit is taken: `████░░░░ 8/20`. Only what is full looks full, and only nothing
 * looks empty.
 */
export function bar(taken: number, limit: number, cells = 12): string {
  return `${barCells(taken, limit, cells)} ${taken}/${limit}`;
}

function barCells(taken: number, limit: number, cells: number): string {
  const full =
    taken >= limit ? cells : Math.min(cells - 1, Math.ceil((Math.max(0, taken) / limit) * cells));
  return "█".repeat(full) + "░".repeat(cells - full);
}
