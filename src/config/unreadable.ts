import { messageOf } from "../core/errors.ts";

/** In place of a message that names a system call. */
export function whyUnreadable(error: unknown): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  return WHY[code] ?? (code === "" ? messageOf(error) : code);
}

const WHY: Record<string, string> = {
  ENOENT: "there is none",
  EACCES: "its permissions do not allow it",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is no folder",
  ENAMETOOLONG: "its name is too long",
  ELOOP: "its links go round in a circle",
};
