import type { Piece } from "./ansi.ts";

/** A stretch of a row that looks the same from its begin to its end. */
export interface Segment extends Piece {
  /** Which match of the row it belongs to, counted from 0; `null` for none. */
  match: number | null;
}

/** Parts pieces where matches begin and end. */
export function segmentsOf(
  pieces: readonly Piece[],
  ranges: readonly { begin: number; end: number }[],
): Segment[] {
  const segments: Segment[] = [];
  let begin = 0;
  let next = 0;
  for (const piece of pieces) {
    const end = begin + piece.text.length;
    for (let at = begin; at < end; ) {
      while ((ranges[next]?.end ?? Number.POSITIVE_INFINITY) <= at) next++;
      const range = ranges[next];
      const isIn = range !== undefined && range.begin <= at;
      const until = Math.min(end, (isIn ? range.end : range?.begin) ?? end);
      const text = piece.text.slice(at - begin, until - begin);
      segments.push({ ...piece, text, match: isIn ? next : null });
      at = until;
    }
    begin = end;
  }
  return segments;
}
