/** What a reload can replace: asked for whenever it is needed, and never kept. */
export interface Live<T> {
  current(): T;
}

/** Held by whoever reloads it. */
export interface Holder<T> extends Live<T> {
  replace(next: T): void;
}

export function holderOf<T>(first: T): Holder<T> {
  let current = first;
  return {
    current: () => current,
    replace(next) {
      current = next;
    },
  };
}
