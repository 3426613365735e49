import { AppError } from "../core/errors.ts";
import type { Page } from "../store/tasks.ts";
import type { HttpContext } from "./context.ts";

const MAX_PER_PAGE = 100;

/** @throws {AppError} `page_invalid` unless both are positive whole numbers. */
export function pageOf(c: HttpContext, perPageDefault: number): Page {
  return {
    page: positive(c.req.query("page"), "page", 1, 1_000_000),
    perPage: positive(c.req.query("perPage"), "perPage", perPageDefault, MAX_PER_PAGE),
  };
}

/** The keys of the reference around a page of items. */
export function pagedView(
  items: unknown[],
  { page, perPage }: Page,
  total: number,
  urlOf: (query: string) => string,
) {
  const pages = Math.max(1, Math.ceil(total / perPage));
  const hasNext = page < pages;
  const hasPrev = page > 1;
  const link = (to: number) => urlOf(`?page=${to}&perPage=${perPage}`);
  return {
    hasNext,
    hasPrev,
    items,
    nextUrl: hasNext ? link(page + 1) : null,
    page,
    pages,
    perPage,
    prevUrl: hasPrev ? link(page - 1) : null,
    total,
  };
}

function positive(text: string | undefined, name: string, absent: number, max: number): number {
  if (text === undefined) return absent;
  const value = Number(text);
  if (!/^\d{1,7}$/.test(text) || value < 1 || value > max) {
    throw new AppError("page_invalid", `"${name}" must be a whole number from 1 to ${max}`);
  }
  return value;
}
