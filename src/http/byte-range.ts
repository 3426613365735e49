/** A stretch of bytes; `end` is behind its last one. */
export interface ByteRange {
  start: number;
  end: number;
}

const SINGLE = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/;

/**
 * The range that a request asks for (RFC 9110, 14.2).
 *
 * @returns `null` where it asks for none, or for what need not be heeded: several ranges, other
 *   units. `"beyond"` where there is nothing of it.
 */
export function byteRangeOf(header: string | undefined, size: number): ByteRange | "beyond" | null {
  const [whole, first, last, lastBytes] = SINGLE.exec(header?.replaceAll(" ", "") ?? "") ?? [];
  if (whole === undefined) return null;
  if (first === undefined) {
    const start = Math.max(0, size - Number(lastBytes));
    return start === size ? "beyond" : { start, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(size, Number(last) + 1);
  if (last !== "" && Number(last) < start) return null;
  return start >= size ? "beyond" : { start, end };
}

/** Whether `If-None-Match` has an entity tag, strong or weak. */
export function isKnown(header: string | undefined, tag: string): boolean {
  const tags = header?.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((each) => each === "*" || each.replace("W/", "") === tag);
}
