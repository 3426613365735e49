import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { chmod, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLogins, removeLogin, saveLogin } from "../../src/client/logins.ts";

const [ONE, TWO] = ["https://one.example", "https://two.example/fastlane"];
let root: string;
let environment: { XDG_CONFIG_HOME: string };
const file = () => join(environment.XDG_CONFIG_HOME, "fastlane", "logins.json");

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fastlane-logins-"));
});
beforeEach(() => {
  environment = { XDG_CONFIG_HOME: join(root, crypto.randomUUID()) };
});
afterAll(() => rm(root, { recursive: true }));

test("a login is kept for its URL, readable by its owner alone, and the last one is current", async () => {
  await saveLogin(environment, ONE, "fl_one");
  await saveLogin(environment, TWO, "fl_two");

  expect(await readLogins(environment)).toEqual({
    current: TWO,
    logins: { [ONE]: { token: "fl_one" }, [TWO]: { token: "fl_two" } },
  });
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  expect(await readdir(join(file(), ".."))).toEqual(["logins.json"]);
});

test("without a configured folder it is in the home, and without a home there are none", async () => {
  const { XDG_CONFIG_HOME: home } = environment;

  await saveLogin({ HOME: home }, ONE, "fl_one");

  expect(await readFile(join(home, ".config/fastlane/logins.json"), "utf8")).toContain("fl_one");
  expect(await readLogins({})).toEqual({ current: null, logins: {} });
  await expect(saveLogin({}, ONE, "fl_one")).rejects.toThrow("HOME");
});

test("a login that is removed is gone, and no longer current", async () => {
  await saveLogin(environment, ONE, "fl_one");

  expect(await removeLogin(environment, TWO)).toBe(false);
  expect(await removeLogin(environment, ONE)).toBe(true);

  expect(await readLogins(environment)).toEqual({ current: null, logins: {} });
});

test("a file that others may read is refused, and one that is broken too, without its words", async () => {
  await saveLogin(environment, ONE, "fl_secret");

  await chmod(file(), 0o640);
  await expect(readLogins(environment)).rejects.toThrow("mode 640");

  await Bun.write(file(), '{"fl_secret');
  await chmod(file(), 0o600);
  await expect(readLogins(environment)).rejects.toThrow(/^(?!.*fl_secret).*logins\.json/);
});
