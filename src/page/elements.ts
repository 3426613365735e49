/** An element of the page that must be there, such as `byId("log", HTMLElement)`. */
export function byId<T extends Element>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`The page has no "${id}"`);
}

/** The words of a button or a line that has an icon or a dot before them. */
export function wordsOf(element: Element): HTMLElement {
  const words = element.querySelector("span:last-of-type");
  if (words instanceof HTMLElement) return words;
  throw new Error(`"${element.id}" has no words`);
}

/** Tells those who listen to the page, once for each change. */
export function tell(news: string): void {
  const place = byId("news", HTMLElement);
  if (place.textContent !== news) place.textContent = news;
}
