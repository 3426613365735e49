import { bytesWords } from "../core/amounts.ts";
import type { Tell } from "./finding.ts";

export interface Space {
  freeBytes: number;
  totalBytes: number;
}

const GIB = 1_024 ** 3;
const TOO_LITTLE_BYTES = GIB;
const LITTLE_BYTES = 5 * GIB;

/** Judges what is free on a disk. @param where As in "5 GiB are free where the images are". */
export function judgeSpace(tell: Tell, where: string, space: Space, advice: string): void {
  const { freeBytes, totalBytes } = space;
  const message = `${bytesWords(freeBytes)} of ${bytesWords(totalBytes)} are free ${where}`;
  if (freeBytes < TOO_LITTLE_BYTES) tell.problem(message, advice);
  else if (freeBytes < Math.min(LITTLE_BYTES, totalBytes / 4)) tell.warning(message, advice);
  else tell.ok(message);
}
