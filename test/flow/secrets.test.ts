import { expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { openStore } from "../../src/store/connect.ts";
import { CHANNEL } from "../../src/store/notify.ts";
import { basic } from "../support/api.ts";
import { type Enqueued, eventually } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { everyRow } from "../support/every-row.ts";
import { startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

const CANARIES = Object.fromEntries(
  ["env", "secret", "header", "ownPath", "ownSecret", "ownHeader", "login", "password"].map(
    (name) => [name, `canary-${name}-4f1c`],
  ),
) as Record<
  "env" | "secret" | "header" | "ownPath" | "ownSecret" | "ownHeader" | "login" | "password",
  string
>;
const OWNER = { authorization: basic("ada", CANARIES.password) };
/** What says that the container had it, and does not say it. */
const PROOF = new Bun.CryptoHasher("md5").update(CANARIES.env).digest("hex");

test("what is secret of a payload and of the configuration is nowhere, and yet where it is needed", async () => {
  const { host } = await testEngine();
  await using database = await migratedDatabase();
  await using receiver = await startReceiver();
  const environment = {
    DATABASE_URL: database.url,
    FASTLANE_LOG_LEVEL: "debug",
    FASTLANE_BASIC_AUTH_USERNAME: "ada",
    FASTLANE_BASIC_AUTH_PASSWORD: CANARIES.password,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host], maxRunning: 20 }]),
    FASTLANE_REGISTRIES: JSON.stringify({
      "registry.example": { username: "ada", password: CANARIES.login },
    }),
    FASTLANE_WEBHOOKS_ALLOW_PRIVATE: "true",
    FASTLANE_WEBHOOKS: JSON.stringify([
      {
        url: `${receiver.url}/${CANARIES.ownPath}`,
        secret: CANARIES.ownSecret,
        headers: { "X-Own": CANARIES.ownHeader },
      },
    ]),
  };
  const store = openStore({ address: database.address, max: 2 });
  await using _ = { [Symbol.asyncDispose]: () => store.close() };
  const notified: string[] = [];
  await store.sql.listen(CHANNEL, (payload) => notified.push(payload));
  const told: string[] = [];
  const post = async (url: string, payload: object = {}): Promise<Enqueued> => {
    const init = { method: "POST", headers: OWNER, body: JSON.stringify(payload) };
    const text = await (await fetch(url, init)).text();
    told.push(text);
    return JSON.parse(text);
  };
  const payload = {
    image: "busybox",
    pullPolicy: "missing",
    command: ["sh", "-c", 'echo -n "$WORD" | md5sum; exit 3'],
    envs: { WORD: CANARIES.env, API_KEY: CANARIES.env },
    webhooks: {
      fails: [
        {
          url: `${receiver.url}/job`,
          secret: CANARIES.secret,
          headers: { Authorization: CANARIES.header },
        },
      ],
    },
  };

  const first = await startFastlane({ environment });
  const retried = await post(`${first.url}/tasks/a/`, {
    ...payload,
    retries: 1,
    backoff: { minMs: 1 },
    idempotencyKey: "k",
  });
  await post(`${first.url}/tasks/a/`, { ...payload, startIn: "1s" });
  await receiver.received(6);
  await first.end("SIGTERM");
  await using second = await startFastlane({ environment });
  const path = (url: string) => second.url + new URL(url).pathname;
  await post(`${path(retried.jobUrl)}/retry/`);
  const requests = await receiver.received(10);
  await eventually(
    async () => {
      const open = await store.sql`SELECT FROM fastlane.deliveries WHERE status = 'waiting'`;
      return open.length === 0 ? true : undefined;
    },
    () => "something was not delivered",
  );

  const executions = await store.sql<{ id: string; job: string }[]>`
    SELECT id, job_id AS job FROM fastlane.executions`;
  const paths = [
    ...["/status/", "/tasks/", "/tasks/a/", "/audit/", "/hosts/", "/executions/", "/tokens/"],
    ...executions.flatMap(({ id, job }) =>
      ["", "/logs/", "/why/", "/schedule/", "/ticks/"]
        .map((rest) => `/tasks/a/jobs/${job}${rest}`)
        .concat(
          ["", "deliveries/", "logs/", "stdout/"].map(
            (rest) => `/tasks/a/jobs/${job}/executions/${id}/${rest}`,
          ),
        ),
    ),
  ];
  for (const each of paths) {
    told.push(await (await fetch(second.url + each, { headers: OWNER })).text());
  }
  // Of a variable whose name does not look secret the value is shown.
  const answers = told.join("\n").replaceAll(`"WORD":"${CANARIES.env}"`, '"WORD":"shown"');
  const places = {
    log: first.stderr() + second.stderr(),
    tables: await everyRow(store),
    notifications: notified.join("\n"),
    answers,
  };

  expect(executions).toHaveLength(5);
  expect(answers.split(PROOF).length).toBeGreaterThan(4);
  expect(answers).toContain('"WORD":"shown"');
  for (const { path: to, headers, body } of requests) {
    const isOwn = to !== "/job";
    new Webhook(isOwn ? CANARIES.ownSecret : CANARIES.secret, { format: "raw" }).verify(
      body,
      headers,
    );
    expect(to).toBe(isOwn ? `/${CANARIES.ownPath}` : "/job");
    expect(headers[isOwn ? "x-own" : "authorization"]).toBe(
      isOwn ? CANARIES.ownHeader : CANARIES.header,
    );
  }
  for (const [place, text] of Object.entries(places)) {
    const found = Object.values(CANARIES).filter((canary) => text.includes(canary));
    expect([place, found]).toEqual([place, []]);
  }
});
