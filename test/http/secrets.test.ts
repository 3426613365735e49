import { expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { openStore } from "../../src/store/connect.ts";
import { CHANNEL } from "../../src/store/notify.ts";
import { basic } from "../support/api.ts";
import { everyRow } from "../support/every-row.ts";
import { openSocket, socketUrl } from "../support/log-socket.ts";
import { startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";
import { jsonOf } from "./request.ts";

const PASSWORD = "canary-password-7f3a";
const LOOKED_AT = [
  "/status/",
  "/whoami/",
  "/tokens/?all=true",
  "/hosts/",
  "/metrics",
  "/openapi.json",
];

test("a token and a password are found nowhere, however they were used", async () => {
  await using database = await migratedDatabase();
  await using fastlane = await startFastlane({
    command: "api",
    environment: {
      DATABASE_URL: database.url,
      FASTLANE_LOG_LEVEL: "debug",
      FASTLANE_BASIC_AUTH_USERNAME: "ada",
      FASTLANE_BASIC_AUTH_PASSWORD: PASSWORD,
    },
  });
  const store = openStore({ address: database.address, max: 2 });
  await using _ = { [Symbol.asyncDispose]: () => store.close() };
  const notified: string[] = [];
  await store.sql.listen(CHANNEL, (payload) => notified.push(payload));
  const told: string[] = [];
  const ask = async (path: string, authorization: string, init: RequestInit = {}) => {
    const answer = await fetch(fastlane.url + path, { ...init, headers: { authorization } });
    told.push(JSON.stringify([...answer.headers]));
    return answer;
  };
  const tell = async (...asked: Parameters<typeof ask>) => {
    const answer = await ask(...asked);
    told.push(await answer.text());
  };

  const owner = basic("ada", PASSWORD);
  const body = JSON.stringify({ name: "canary", role: "submitter", taskMatch: "^a" });
  const { token } = await jsonOf(await ask("/tokens/", owner, { method: "POST", body }));
  const [, id = "", secret = ""] = token.split("_");
  const job = JSON.stringify({ image: "busybox", command: "true" });
  const made = await jsonOf(
    await ask("/tasks/a/", `Bearer ${token}`, { method: "POST", body: job }),
  );
  for (const authorization of [`Bearer ${token}`, basic("x", token), owner]) {
    for (const path of LOOKED_AT) {
      await tell(path, authorization);
    }
    await tell("/tasks/b/", authorization);
    await tell("/tasks/?page=x", authorization);
    await tell(`/tasks/?token=${token}&password=${PASSWORD}&page=x`, authorization);
    await tell("/tasks/a/", authorization, { method: "POST", body: "{" });
  }
  for (const wrong of [`Bearer ${token}x`, basic("ada", `${PASSWORD}x`), basic(PASSWORD, token)]) {
    await tell("/tasks/", wrong);
  }
  using byHeader = openSocket(socketUrl(made.jobUrl), { authorization: `Bearer ${token}` });
  await byHeader.opened;
  const byProtocol = new WebSocket(socketUrl(made.jobUrl), ["fastlane", `bearer.${token}`]);
  await new Promise((resolve) => byProtocol.addEventListener("open", resolve));
  told.push(byProtocol.protocol);
  await tell("/tokens/canary/", owner, { method: "DELETE" });
  told.push(JSON.stringify(await byHeader.closed));
  await tell("/tasks/", `Bearer ${token}`);
  await store.sql`ALTER TABLE fastlane.tokens RENAME TO gone`;
  await tell("/tasks/", `Bearer ${token}`);

  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  const places = {
    log: fastlane.stderr(),
    answers: told.join("\n"),
    tables: await everyRow(store),
    notifications: notified.join("\n"),
    processes: commands.join("\n"),
  };

  // Each place would show what is to be found there.
  expect(places.log).toContain('"operation":"revokeToken"');
  expect(places.log).toContain('"msg":"bug"');
  expect(places.answers).toContain("fastlane_build_info");
  expect(places.tables).toContain(id);
  expect(places.notifications).toContain(id);
  expect(places.processes).toContain("dist/fastlane");
  const secrets = [secret, PASSWORD, btoa(`ada:${PASSWORD}`), btoa(`x:${token}`)];
  for (const [place, text] of Object.entries(places)) {
    expect([place, secrets.filter((one) => text.includes(one))]).toEqual([place, []]);
  }
});
