/** Of an expression: the text that everything it fits must have, and whether at the beginning. */
interface Required {
  text: string;
  isAtStart: boolean;
  /** It fits whatever has the text there. */
  isAll: boolean;
}

/**
 * Pools that can never get a task, as far as that can be told: whatever they fit, an earlier pool
 * fits too.
 */
export function poolsNeverReached(
  pools: readonly { match: string }[],
): { match: string; behind: string }[] {
  return pools.flatMap(({ match }, index) => {
    const later = requiredBy(match);
    if (later === null) return [];
    const behind = pools.slice(0, index).find((pool) => {
      const earlier = requiredBy(pool.match);
      return earlier?.isAll && covers(earlier, later);
    });
    return behind === undefined ? [] : [{ match, behind: behind.match }];
  });
}

function covers(earlier: Required, later: Required): boolean {
  if (!earlier.isAtStart) return later.text.includes(earlier.text);
  return later.isAtStart && later.text.startsWith(earlier.text);
}

/** `null` where it cannot be told. */
function requiredBy(match: string): Required | null {
  // With alternatives none of their texts is required.
  if (match.includes("|")) return null;
  const [, start = "", letters = "", rest = ""] = /^(\^?)([A-Za-z0-9_-]*)(.*)$/s.exec(match) ?? [];
  // The last letter may be there no times.
  const text = /^[?*{]/.test(rest) ? letters.slice(0, -1) : letters;
  if (text === "") return null;
  const isAll = rest === "" || rest === ".*" || rest === "+";
  return { text, isAtStart: start === "^", isAll };
}
