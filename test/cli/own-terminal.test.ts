import { expect, test } from "bun:test";
import { eventually } from "../support/client.ts";
import { dataDirOfTests } from "../support/secrets.ts";
import { migratedDatabase } from "../support/store.ts";
import { COMMAND } from "./command.ts";

test("SIGHUP reloads while the terminal is open, and stops cleanly when it was closed", async () => {
  await using database = await migratedDatabase();
  let shown = "";
  const child = Bun.spawn([...COMMAND, "api", "--port", "0", "--log-level", "info"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      FASTLANE_DATABASE_URL: database.url,
      FASTLANE_DATA_DIR: dataDirOfTests(),
    },
    terminal: {
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

  await until("listens on");
  child.kill("SIGHUP");
  await until("reloaded: nothing that a reload takes over has changed");
  child.terminal?.close();

  expect(await child.exited).toBe(0);
});
