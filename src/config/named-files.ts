import { statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import * as v from "valibot";
import { type Fault, nameOf, type Path } from "./fault.ts";
import type { FileLayer } from "./file-layer.ts";
import { notesOf } from "./key.ts";
import { readBytes } from "./read-bytes.ts";
import { ConfigSchema } from "./schema.ts";
import { type Visited, visit } from "./shape.ts";
import { whyUnreadable } from "./unreadable.ts";

const OTHERS = 0o007;
const MAX_BYTES = 1024 * 1024;

/** What the files hold that keys of the configuration name. */
export interface NamedFiles {
  /** What is in a file, as its key names it, without the end of its last line. */
  read(named: string): string;
  faults: Fault[];
  /** What is not wrong, but not good. */
  notices: string[];
}

/**
 * Reads the files that the service needs to start.
 *
 * @param credentials The folder with those of systemd: a file that is named without one is there.
 * @param whole Whether to look at those as well that are read whenever a host is connected to.
 */
export function readNamedFiles(
  values: Record<string, unknown>,
  credentials: string | undefined,
  whole: boolean,
): NamedFiles {
  const contents = new Map<string, string>();
  const faults: Fault[] = [];
  const notices: string[] = [];
  for (const visited of visit({ at: [], schema: ConfigSchema, value: values })) {
    const { at, schema, value: named } = visited;
    const { file, secret } = notesOf(schema);
    if (file === undefined || typeof named !== "string" || named === "") continue;
    const path = isAbsolute(named) || !credentials ? named : join(credentials, named);
    if (secret && isOpenToOthers(path)) notices.push(openNotice(at, path));
    if (file === "connection" && !whole) continue;
    const found = contentOf(path);
    if ("content" in found) {
      contents.set(named, found.content);
      const wrong = wrongContent(visited, found.content);
      if (wrong !== null) faults.push({ at, says: `: what is in "${path}" ${wrong}` });
    } else if (isAbsolute(named) || credentials) {
      faults.push({ at, says: `: cannot read the file "${path}": ${found.why}` });
    } else {
      const says =
        "must be an absolute path, or the name of a credential where systemd gives some " +
        "(CREDENTIALS_DIRECTORY is not set)";
      faults.push({ at, says });
    }
  }
  return { read: (named) => contents.get(named) ?? "", faults, notices };
}

/** What is to be said of the configuration file itself, where there are secrets in it. */
export function noticesOfFile({ path, values }: FileLayer): string[] {
  const secrets = [...visit({ at: [], schema: ConfigSchema, value: values })].filter(
    ({ schema }) => notesOf(schema).secret && notesOf(schema).file === undefined,
  );
  const [first] = secrets;
  return first !== undefined && isOpenToOthers(path) ? [openNotice(first.at, path)] : [];
}

const openNotice = (at: Path, path: string) =>
  `${nameOf(at)}: every user of this machine may read the file "${path}"; chmod 600 would end that`;

function contentOf(path: string): { content: string } | { why: string } {
  try {
    return { content: readBytes(path, MAX_BYTES).toString("utf8").trimEnd() };
  } catch (error) {
    return { why: whyUnreadable(error) };
  }
}

/** A file holds what may stand in the key in whose place it is named. */
function wrongContent({ schema, beside = {} }: Visited, content: string): string | null {
  const { insteadOf } = notesOf(schema);
  const itself = insteadOf === undefined ? undefined : beside[insteadOf];
  if (itself === undefined) return null;
  const [issue] = v.safeParse(itself, content).issues ?? [];
  return issue === undefined ? null : issue.message;
}

function isOpenToOthers(path: string): boolean {
  try {
    const status = statSync(path);
    return status.isFile() && (status.mode & OTHERS) !== 0;
  } catch {
    return false;
  }
}
