import { expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestApp } from "../support/app.ts";
import { eventually } from "../support/client.ts";
import { COMMAND } from "./command.ts";

const API = { api: true, worker: false };
const TOKEN = "fl_never_to_be_shown";

/** A command on a terminal of its own, of Bun's; what it shows is gathered. */
function onTerminal(args: string[], environment: Record<string, string>) {
  let shown = "";
  const child = Bun.spawn([...COMMAND, ...args], {
    env: { PATH: process.env["PATH"] ?? "", TERM: "xterm", ...environment },
    terminal: {
      cols: 60,
      rows: 20,
      data(_, bytes) {
        shown += new TextDecoder().decode(bytes);
      },
    },
  });
  const until = (what: string) =>
    eventually(
      () => (shown.includes(what) ? true : undefined),
      () => `the terminal shows ${JSON.stringify(shown)}`,
    );
  return { child, until, shown: () => shown, terminal: child.terminal };
}

test("--watch draws in place, in colours and the terminal's width, and leaves it as it was", async () => {
  await using app = await startTestApp({ roles: API });
  const { child, until, shown, terminal } = onTerminal(["status", "--watch", "0.2"], {
    FASTLANE_URL: app.url,
  });

  await until("Ctrl-C ends");
  const first = shown();
  terminal?.resize(100, 30);
  await eventually(
    () => (shown().split("\u001b[H").length > 3 ? true : undefined),
    () => "it is not drawn again",
  );
  terminal?.write("\u0003");
  const code = await child.exited;

  expect(code).toBe(0);
  expect(first.startsWith("\u001b[?1049h\u001b[?25l\u001b[H")).toBe(true);
  expect(first).toContain("\u001b[2mPOOL");
  for (const line of first.split(/\r?\n/)) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(60);
  expect(shown().endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
});

test("NO_COLOR and --no-color leave the colours out", async () => {
  await using app = await startTestApp({ roles: API });
  const environments = [{ NO_COLOR: "1" }, {}];

  for (const [place, extra] of environments.entries()) {
    const args = place === 0 ? ["status"] : ["status", "--no-color"];
    const { child, shown } = onTerminal(args, { FASTLANE_URL: app.url, ...extra });
    expect(await child.exited).toBe(0);
    expect(shown()).toContain("POOL");
    expect(shown()).not.toContain("\u001b[2m");
  }
});

test("a token that is typed is not shown, and Ctrl-C saves nothing", async () => {
  const home = await mkdtemp(join(tmpdir(), "fastlane-home-"));
  const { child, until, shown, terminal } = onTerminal(["login", "http://127.0.0.1:1"], {
    HOME: home,
  });

  await until("Token for http://127.0.0.1:1: ");
  terminal?.write(TOKEN);
  terminal?.write("\u0003");
  const code = await child.exited;

  expect(code).toBe(2);
  expect(shown()).not.toContain(TOKEN.slice(0, 4));
  await expect(readFile(join(home, ".config/fastlane/logins.json"))).rejects.toThrow("ENOENT");
  await rm(home, { recursive: true, force: true });
});

test("Ctrl-C ends --watch while a server is slow to answer", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = silentServer(asked.resolve);
  const { child, shown, terminal } = onTerminal(["status", "--watch"], {
    FASTLANE_URL: server.url,
  });

  await asked.promise;
  terminal?.write("\u0003");

  expect(await child.exited).toBe(0);
  expect(shown()).toEndWith("\u001b[?25h\u001b[?1049l");
});

test("--watch ends when nobody reads it any more", async () => {
  await using app = await startTestApp({ roles: API });
  const child = Bun.spawn([...COMMAND, "status", "--watch", "0.1"], {
    env: { FASTLANE_URL: app.url },
    stdout: "pipe",
  });

  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();

  expect(await child.exited).toBe(0);
});

test("an answer that cannot be written is no success", async () => {
  const child = Bun.spawn(
    ["sh", "-c", 'exec "$@" >/dev/full', "sh", ...COMMAND, "completion", "bash"],
    {
      stderr: "pipe",
    },
  );

  expect(await child.exited).toBe(2);
  expect(await child.stderr.text()).toContain("Cannot write the answer: ENOSPC");
});

/** Takes what is asked, and never answers. */
function silentServer(onAsked: () => void) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch() {
      onAsked();
      return new Promise<Response>(() => {});
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
