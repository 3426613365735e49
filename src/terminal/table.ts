import sliceAnsi from "slice-ansi";
import stringWidth from "string-width";
import type { Colours, Paint } from "./colours.ts";
import { safeLine } from "./safe-text.ts";

export interface Column<Row> {
  head: string;
  /** Plain text, of wherever: what it holds of controls is made harmless here. */
  of: (row: Row) => string;
  paint?: (row: Row) => Paint;
  align?: "right";
  /** To how many cells it may be cut where the terminal is narrow; not at all when absent. */
  least?: number;
  /** Left out where the terminal is still too narrow, the lowest number first; never when absent. */
  leaveOut?: number;
}

export interface Room {
  /** Cells from left to right; `null` where nobody counts them, so that nothing is cut. */
  columns: number | null;
  colours: Colours;
}

const GAP = "  ";

/** Rows below dim heads, aligned by what each cell takes on a terminal; ends with a line's end. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  room: Room,
): string {
  const all = columns.map((column) => filled(rows, column));
  const shown = fitted(all, room.columns ?? Number.POSITIVE_INFINITY);
  const { dim } = room.colours;
  const head = line(shown.map(({ column, width }) => [aligned(column.head, width, column), dim]));
  const body = rows.map((row, place) =>
    line(
      shown.map(({ column, cells, width }) => [
        aligned(cells[place] ?? "", width, column),
        column.paint?.(row),
      ]),
    ),
  );
  return `${[head, ...body].join("\n")}\n`;
}

interface Filled<Row> {
  column: Column<Row>;
  cells: string[];
  width: number;
}

function filled<Row>(rows: readonly Row[], column: Column<Row>): Filled<Row> {
  const cells = rows.map((row) => safeLine(column.of(row)));
  const width = Math.max(...[column.head, ...cells].map((cell) => stringWidth(cell)));
  return { column, cells, width };
}

/** What fits: the widest is cut first, then columns are left out. */
function fitted<Row>(all: readonly Filled<Row>[], room: number): readonly Filled<Row>[] {
  const widths = all.map(({ width }) => width);
  const gaps = GAP.length * (all.length - 1);
  const excess = () => widths.reduce((sum, width) => sum + width, gaps) - room;
  for (let over = excess(); over > 0; over = excess()) {
    const spare = all.map(({ column }, place) => (widths[place] ?? 0) - leastOf(column));
    const widest = spare.indexOf(Math.max(...spare));
    const most = spare[widest] ?? 0;
    if (most <= 0) break;
    const second = Math.max(0, ...spare.filter((_, place) => place !== widest));
    widths[widest] = (widths[widest] ?? 0) - Math.min(over, Math.max(1, most - second));
  }
  const shown = all.map((each, place) => ({ ...each, width: widths[place] ?? each.width }));
  if (excess() <= 0) return shown;
  const next = Math.min(...all.map(({ column }) => column.leaveOut ?? Number.POSITIVE_INFINITY));
  if (next === Number.POSITIVE_INFINITY) return shown;
  return fitted(
    all.filter(({ column }) => column.leaveOut !== next),
    room,
  );

  function leastOf({ head, least }: Column<Row>): number {
    return least === undefined ? Number.POSITIVE_INFINITY : Math.max(least, head.length);
  }
}

/** Cut where it is too long, and filled up with spaces. */
function aligned<Row>(cell: string, width: number, { align }: Column<Row>): string {
  const text = cut(cell, width);
  const space = " ".repeat(width - stringWidth(text));
  return align === "right" ? space + text : text + space;
}

/** The text in so many cells at most, with `…` at the end of one that was cut. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  // A character of two cells that begins in the last cell is not left out by itself.
  const begin = sliceAnsi(text, 0, width - 1);
  const fits = stringWidth(begin) < width;
  return `${fits ? begin : sliceAnsi(text, 0, width - 2)}…`;
}

function line(cells: readonly (readonly [string, Paint | undefined])[]): string {
  const painted = cells.map(([text, paint], place) => {
    // Spaces at a line's end are for nobody.
    const shown = place === cells.length - 1 ? text.trimEnd() : text;
    return paint === undefined ? shown : paint(shown);
  });
  return painted.join(GAP).trimEnd();
}
