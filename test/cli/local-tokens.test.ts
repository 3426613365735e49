import { expect, test } from "bun:test";
import {
  createTokenLocally,
  listTokensLocally,
  revokeTokenLocally,
} from "../../src/cli/local-tokens.ts";
import { loadConfig } from "../../src/config/load.ts";
import { runningPostgresUrl } from "../../src/embedded/running.ts";
import { listAudit } from "../../src/store/audit.ts";
import { makeDataDir } from "../embedded/owners.ts";
import { startApi } from "../support/api.ts";
import { openSocket, socketUrl } from "../support/log-socket.ts";

const configWith = (flags: Record<string, string>) =>
  loadConfig({ environment: {}, flags, configFile: "/dev/null" });

test("the first token is made beside a service that runs, and one that is revoked so ends there", async () => {
  await using api = await startApi({ requireAuthentication: true });
  const config = configWith({ databaseUrl: api.database.url });

  const made = await createTokenLocally(config, { name: "first", role: "admin", expiresIn: "1d" });
  const asked = await api.ask("/whoami/", made.token);
  using socket = openSocket(socketUrl(`${api.url}/tail`), {
    authorization: `Bearer ${made.token}`,
  });
  await socket.opened;
  const listed = await listTokensLocally(config, false);
  const revoked = await revokeTokenLocally(config, "first");

  expect(made).toMatchObject({ name: "first", role: "admin", createdBy: "system" });
  expect(asked.status).toBe(200);
  expect(listed.map(({ name }) => name)).toEqual(["first"]);
  expect(revoked.revokedAt).not.toBeNull();
  expect(await socket.closed).toEqual([1008, "revoked"]);
  expect(await listTokensLocally(config, false)).toEqual([]);
  const { rows } = await listAudit(api.store.db, {}, { cursor: null, limit: 9 });
  expect(rows.map(({ action, details }) => [action, details["token"]])).toEqual([
    ["token.revoke", "first"],
    ["token.create", "first"],
  ]);
  for (const row of rows) {
    expect(row).toMatchObject({
      actorKind: "system",
      actorName: null,
      address: null,
      requestId: null,
    });
  }
  expect((await listTokensLocally(config, true)).map(({ name }) => name)).toEqual(["first"]);
});

test("a wish that is wrong is told as over HTTP", async () => {
  await using api = await startApi();
  const config = configWith({ databaseUrl: api.database.url });

  await expect(createTokenLocally(config, { name: "a", role: "root" })).rejects.toThrow(
    'Cannot make the token: "role" must be "viewer", "submitter", "operator" or "admin"',
  );
  await expect(revokeTokenLocally(config, "nobody")).rejects.toThrow(
    'There is no live token "nobody"',
  );
});

test("the embedded Postgres is started for it, or asked where it runs", async () => {
  await using dataDir = await makeDataDir();
  const config = configWith({ dataDir: dataDir.path });

  const first = await createTokenLocally(config, { name: "first", role: "admin" });
  const between = await runningPostgresUrl(dataDir.path);
  const server = await dataDir.start();
  await createTokenLocally(config, { name: "second", role: "viewer" });
  const listed = await listTokensLocally(config, false);

  expect(first.token).toStartWith("fl_");
  expect(between).toBeNull();
  expect(listed.map(({ name }) => name).sort()).toEqual(["first", "second"]);
  expect(await runningPostgresUrl(dataDir.path)).toBe(server.url);
});
