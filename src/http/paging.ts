import type { Page } from "../store/tasks.ts";
import type { HttpContext } from "./context.ts";
import { wholeNumberOf } from "./query.ts";

const MAX_PER_PAGE = 100;
const MAX_PAGE = 1_000_000;

/** @throws {AppError} `query_invalid` unless both are positive whole numbers. */
export function pageOf(c: HttpContext, perPageDefault: number): Page {
  return {
    page: wholeNumberOf(c, "page", { min: 1, max: MAX_PAGE, absent: 1 }),
    perPage: wholeNumberOf(c, "perPage", { min: 1, max: MAX_PER_PAGE, absent: perPageDefault }),
  };
}

/** The keys of the reference around a page of items. */
export function pagedView<Item>(
  items: Item[],
  { page, perPage }: Page,
  total: number,
  urlOf: (query: string) => string,
) {
  const pages = Math.max(1, Math.ceil(total / perPage));
  const hasNext = page < pages;
  const hasPrev = page > 1;
  const link = (to: number) => urlOf(`page=${to}&perPage=${perPage}`);
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
