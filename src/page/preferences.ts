/** What is remembered from page to page. A browser that keeps nothing makes all as it is by itself. */
const KEYS = { face: "fastlane.face", wrap: "fastlane.wrap", times: "fastlane.times" } as const;

export function remembered(key: keyof typeof KEYS): string | null {
  try {
    return localStorage.getItem(KEYS[key]);
  } catch {
    return null;
  }
}

/** @param value `null` forgets it. */
export function remember(key: keyof typeof KEYS, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(KEYS[key]);
    else localStorage.setItem(KEYS[key], value);
  } catch {
    // It lasts as long as the page.
  }
}
