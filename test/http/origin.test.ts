import { expect, test } from "bun:test";
import type { Config } from "../../src/config/schema.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { openSocket, socketUrl } from "../support/log-socket.ts";
import { jsonOf, rawRequest } from "./request.ts";

const BODY = JSON.stringify({ image: "busybox", command: "true" });

async function start(config: Partial<Config> = {}): Promise<TestApp> {
  return await startTestApp({ config, roles: { api: true, worker: false } });
}

async function enqueueWith(app: TestApp, headers: string[]) {
  const all = [`Content-Length: ${BODY.length}`, ...headers];
  const { status, body } = await rawRequest(app, "POST /tasks/a/", all, BODY);
  return { status, body: JSON.parse(body) };
}

test("only a page of our own may act, and only under a name of ours", async () => {
  await using app = await start();
  const { host, port } = new URL(app.url);

  const statusOf = async (...headers: string[]) => (await enqueueWith(app, headers)).status;

  expect(await statusOf()).toBe(200);
  expect(await statusOf(`Origin: http://${host}`)).toBe(200);
  expect(await statusOf(`Host: localhost:${port}`)).toBe(200);
  expect(await statusOf("Origin: http://evil.example")).toBe(403);
  expect(await statusOf("Origin: null")).toBe(403);
  expect(await statusOf(`Origin: http://127.0.0.1:${Number(port) - 1}`)).toBe(403);
  expect(await statusOf(`Host: evil.example:${port}`)).toBe(403);
  const rebound = [`Host: evil.example:${port}`, `Origin: http://evil.example:${port}`];
  expect(await statusOf(...rebound)).toBe(403);
  const read = await rawRequest(app, "GET /tasks/", ["Host: evil.example"]);
  expect([read.status, Object.keys(JSON.parse(read.body))]).toEqual([403, ["error", "operation"]]);
});

test.each(["/healthcheck?", "/healthcheck#", "/tasks/..", "\\a", " b"])(
  "a Host that goes on with %j is refused in a sentence, and no path is read from it",
  async (rest) => {
    await using app = await start({ requireAuthentication: true });

    const answer = await rawRequest(app, "GET /tasks/", [`Host: 127.0.0.1${rest}`]);

    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body).error).toStartWith("Cannot answer under this name");
  },
);

test("a configured URL is what answers are made of, and its pages are ours", async () => {
  await using app = await start({ publicUrl: "https://jobs.example/lane/" });

  const { body } = await enqueueWith(app, [
    "Host: jobs.example",
    "Origin: https://jobs.example",
    "X-Forwarded-Host: evil.example",
  ]);

  expect(body.taskUrl).toBe("https://jobs.example/lane/tasks/a");
});

test("without it they are made of the Host, and no stranger's word counts", async () => {
  await using app = await start({ trustedProxies: ["10.0.0.0/8"] });

  const { body } = await enqueueWith(app, [
    "Host: localhost:1234",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto: https",
    "X-Real-IP: 1.2.3.4",
  ]);

  expect(body.taskUrl).toBe("http://localhost:1234/tasks/a");
  const { job } = await jsonOf(await fetch(`${app.url}/tasks/a/jobs/${body.jobId}`));
  expect(job.requestIPAddress).toBe("127.0.0.1");
});

test("a trusted proxy tells where it was asked, and by whom", async () => {
  await using app = await start({ trustedProxies: ["127.0.0.0/8"] });
  const forwarded = ["X-Forwarded-Host: jobs.example", "X-Forwarded-Proto: https"];

  const { body } = await enqueueWith(app, [...forwarded, "X-Forwarded-For: 1.2.3.4, 5.6.7.8"]);
  const real = await enqueueWith(app, ["X-Real-IP: 9.9.9.9", "X-Forwarded-For: 1.2.3.4"]);

  expect(body.taskUrl).toBe("https://jobs.example/tasks/a");
  const addressOf = async (jobId: string) =>
    (await jsonOf(await fetch(`${app.url}/tasks/a/jobs/${jobId}`))).job.requestIPAddress;
  expect(await addressOf(body.jobId)).toBe("1.2.3.4");
  expect(await addressOf(real.body.jobId)).toBe("9.9.9.9");
});

const LOGIN = { basicAuthUsername: "ada", basicAuthPassword: "lovelace" };
const OWN = "http://127.0.0.1";

test.each([
  ["with a password, no page of others", { ...LOGIN }, "http://evil.example", false],
  ["with a password, not even where all may ask", { ...LOGIN, corsOrigins: ["*"] }, "null", false],
  ["with a password, our own pages", { ...LOGIN }, OWN, true],
  [
    "with a password, the pages that the configuration lets in",
    { ...LOGIN, corsOrigins: ["https://console.example"] },
    "https://console.example",
    true,
  ],
  ["with a password, programs", { ...LOGIN }, undefined, true],
  ["without a password, any page that knows the id", {}, "http://other.example", true],
] as const)("a socket of a log: %s", async (_, config, origin, isLetIn) => {
  await using app = await start({
    ...config,
    corsOrigins: [...("corsOrigins" in config ? config.corsOrigins : [])],
  });
  const authorization = `Basic ${btoa("ada:lovelace")}`;
  const made = await fetch(`${app.url}/tasks/a/`, {
    method: "POST",
    body: BODY,
    headers: { authorization },
  });
  const { jobUrl } = await jsonOf(made);

  using socket = openSocket(socketUrl(jobUrl), {
    authorization,
    ...(origin === undefined ? {} : { origin: origin === OWN ? app.url : origin }),
  });
  const isOpen = await socket.opened.then(
    () => true,
    () => false,
  );

  expect(isOpen).toBe(isLetIn);
});
