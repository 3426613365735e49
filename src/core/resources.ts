const SIZE = /^(\d{1,12})([bkmg]?)$/i;
const UNIT_BYTES: Record<string, number> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
/** Docker starts no container with less. */
const MIN_MEMORY_BYTES = 6 * 2 ** 20;
const MAX_MEMORY_BYTES = 2 ** 50;

export const MIN_CPUS = 0.01;
export const MAX_CPUS = 1_024;
export const CPUS_WRONG = `must be a number from ${MIN_CPUS} to ${MAX_CPUS}`;
export const MAX_PIDS = 4_194_304;
export const MEMORY_WRONG = "must be a size such as 512m or 2g, of 6m at least";

/** Reads a size such as `512m`; `null` when it is none, or none that a container can be held to. */
export function parseMemory(text: string): number | null {
  const [whole, digits, unit = ""] = SIZE.exec(text) ?? [];
  if (whole === undefined) return null;
  const bytes = Number(digits) * (UNIT_BYTES[unit.toLowerCase()] ?? 1);
  return bytes >= MIN_MEMORY_BYTES && bytes <= MAX_MEMORY_BYTES ? bytes : null;
}

/** Bytes in the largest unit that says them whole: `2g`. */
export function formatMemory(bytes: number): string {
  const unit = ["g", "m", "k"].find((each) => bytes % (UNIT_BYTES[each] ?? 1) === 0) ?? "";
  return `${bytes / (UNIT_BYTES[unit] ?? 1)}${unit}`;
}
