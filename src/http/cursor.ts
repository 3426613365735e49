import { AppError } from "../core/errors.ts";
import type { ListCursor } from "../store/execution-lists.ts";

const CURSOR = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([0-9a-f-]{1,36})$/;

/**
 * Reads the `nextCursor` of an answer.
 *
 * @param ids What ids of the list look like.
 * @throws {AppError} `query_invalid`.
 */
export function readCursor(text: string | undefined, ids: RegExp): ListCursor | null {
  if (text === undefined) return null;
  const [, at = "", id = ""] = CURSOR.exec(decoded(text)) ?? [];
  if (Number.isNaN(Date.parse(at)) || !ids.test(id)) {
    throw new AppError("query_invalid", '"cursor" must be the nextCursor of an answer');
  }
  return { at, id };
}

export function textOfCursor(cursor: ListCursor | null): string | null {
  return cursor === null ? null : btoa(`${cursor.at} ${cursor.id}`);
}

function decoded(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}
