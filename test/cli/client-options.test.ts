import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { clientOf, withClientOptions } from "../../src/cli/client-options.ts";
import { saveLogin } from "../../src/client/logins.ts";
import { cli } from "../support/cli.ts";

const disposals = new AsyncDisposableStack();
afterAll(() => disposals.disposeAsync());

/** Says who asked it. */
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request) => Response.json(request.headers.get("authorization")),
});
disposals.defer(() => server.stop(true));
const HERE = server.url.href.replace(/\/$/, "");
const OTHER = "http://other.example";
const BASIC = `Basic ${Buffer.from("ops:p@ss").toString("base64")}`;

async function config(...logins: [string, string][]): Promise<{ XDG_CONFIG_HOME: string }> {
  const folder = await mkdtemp(join(tmpdir(), "fastlane-options-"));
  disposals.defer(() => rm(folder, { recursive: true }));
  for (const [url, token] of logins) await saveLogin({ XDG_CONFIG_HOME: folder }, url, token);
  return { XDG_CONFIG_HOME: folder };
}

async function client(environment: Record<string, string>, ...args: string[]) {
  const command = withClientOptions(new Command());
  command.parse(args, { from: "user" });
  return await clientOf(command, { environment, version: "test" });
}

test("the URL is that of the flag, the environment, the current login, or this machine", async () => {
  const saved = await config([OTHER, "fl_other"], [HERE, "fl_here"]);
  const environment = { ...saved, FASTLANE_URL: "http://environment.example/" };

  const clients = await Promise.all([
    client(environment, "--url", "http://flag.example"),
    client(environment),
    client(saved),
    client(await config()),
  ]);

  expect(clients.map(({ url }) => url)).toEqual([
    ...["http://flag.example", "http://environment.example", HERE, "http://127.0.0.1:10000"],
  ]);
});

test("who asks is the token of the environment, what the URL says, or the login of that URL", async () => {
  const saved = await config([HERE, "fl_here"]);
  const withLogin = HERE.replace("://", "://ops:p%40ss@");
  const asked = async (environment: Record<string, string>, url: string) =>
    await (await client(environment, "--url", url)).get("/");

  expect(await asked({ ...saved, FASTLANE_TOKEN: "fl_own" }, withLogin)).toBe("Bearer fl_own");
  expect(await asked(saved, withLogin)).toBe(BASIC);
  expect(await asked(saved, HERE)).toBe("Bearer fl_here");
  expect(await asked(await config(), withLogin)).toBe(BASIC);
  expect(await asked(await config([OTHER, "fl_other"]), HERE)).toBeNull();
});

test("a token that is none is refused without its words", async () => {
  const refused = client({ FASTLANE_TOKEN: "fl secret\n" });

  await expect(refused).rejects.toThrow(/^(?!.*secret).*one word/);
});

test("a file of certificates that is not there is named", async () => {
  await expect(client({ FASTLANE_CA_FILE: "/nonexistent.pem" })).rejects.toThrow(
    "/nonexistent.pem",
  );
});

test("the program goes through the proxy of its environment, and not where it is excepted", async () => {
  const asked: string[] = [];
  const proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      asked.push(request.url);
      return Response.json({ error: "Through the proxy", operation: "x" }, { status: 404 });
    },
  });
  disposals.defer(() => proxy.stop(true));
  const logs = async (environment: Record<string, string>) =>
    await cli(["logs", "t"], {
      env: { FASTLANE_URL: "http://fastlane.invalid/gate", ...environment },
    });

  const through = await logs({ HTTP_PROXY: proxy.url.href });
  const excepted = await logs({
    HTTP_PROXY: proxy.url.href,
    NO_PROXY: ".example,fastlane.invalid",
  });

  expect([through.code, through.stderr]).toEqual([2, "Through the proxy\n"]);
  expect(asked).toEqual(["http://fastlane.invalid/gate/tasks/t/?perPage=1"]);
  expect(excepted.stderr).toContain("its name is not found");
});
