import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
import { ClientError } from "./client-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const Logins = v.object({
  /** The URL that is asked where none is given. */
  current: v.nullable(v.string()),
  /** By URLs as `parseServerUrl` gives them. */
  logins: v.record(v.string(), v.object({ token: v.string() })),
});
export type Logins = v.InferOutput<typeof Logins>;

const OTHERS_MAY_READ = 0o077;

/**
 * The saved logins; none where there is no file.
 *
 * @throws {ClientError} When others may read the file, or it is not one of ours.
 */
export async function readLogins(environment: Environment): Promise<Logins> {
  const path = pathOf(environment);
  const none: Logins = { current: null, logins: {} };
  if (path === null) return none;
  try {
    const mode = (await stat(path)).mode & 0o777;
    if ((mode & OTHERS_MAY_READ) !== 0) {
      throw new ClientError(
        `Cannot use the logins in ${path}: others may read it (mode ${mode.toString(8)}); chmod 600 it`,
      );
    }
    return v.parse(Logins, JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (error instanceof ClientError) throw error;
    if (error instanceof Error && "code" in error) {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return none;
      throw new ClientError(`Cannot read the logins in ${path}: ${messageOf(error)}`);
    }
    // Its words could hold a token.
    throw new ClientError(
      `Cannot read the logins in ${path}: it is not as "fastlane login" writes it`,
    );
  }
}

/** Keeps a token for a URL, and makes that URL the current one. */
export async function saveLogin(
  environment: Environment,
  url: string,
  token: string,
): Promise<void> {
  const { logins } = await readLogins(environment);
  await write(environment, { current: url, logins: { ...logins, [url]: { token } } });
}

/** @returns Whether there was one. */
export async function removeLogin(environment: Environment, url: string): Promise<boolean> {
  const { current, logins } = await readLogins(environment);
  const { [url]: removed, ...rest } = logins;
  if (removed === undefined) return false;
  await write(environment, { current: current === url ? null : current, logins: rest });
  return true;
}

/** Where logins are saved; `null` where there is no home. */
function pathOf(environment: Environment): string | null {
  const { XDG_CONFIG_HOME: configured = "", HOME: home = "" } = environment;
  const folder = configured !== "" ? configured : home === "" ? "" : join(home, ".config");
  return folder === "" ? null : join(folder, "fastlane", "logins.json");
}

/** Another one who writes at the same time wins or loses whole, and nobody reads half a file. */
async function write(environment: Environment, logins: Logins): Promise<void> {
  const path = pathOf(environment);
  if (path === null) {
    throw new ClientError("Cannot save a login: neither XDG_CONFIG_HOME nor HOME is set");
  }
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(logins, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new ClientError(`Cannot save a login in ${path}: ${messageOf(error)}`);
  }
}
