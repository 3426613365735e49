/** As a reader may have written it: `DOCKER_HOSTS`, `docker-hosts` and `dockerhosts` are one. */
export const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** Longer names are no misspelt keys, and comparing takes time. */
const LONGEST = 60;

/** @returns The name that was most likely meant, `undefined` when none is near. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const wanted = plain(name);
  const most = Math.max(1, Math.floor(wanted.length / 4));
  const [nearest] = known
    .map((key) => {
      const spelt = [plain(key), plain(key).replace(/ies$/, "y")];
      return { key, distance: Math.min(...spelt.map((one) => distanceOf(wanted, one))) };
    })
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return nearest?.key;
}

/** By how many letters that are added, missing, other or swapped with their neighbour. */
function distanceOf(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
          ? (before[j - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY;
      next.push(Math.min(changed, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[other.length] ?? 0;
}
