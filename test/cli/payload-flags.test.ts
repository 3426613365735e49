import { expect, test } from "bun:test";
import { Command } from "commander";
import { PAYLOAD_KEYS, payloadOf, withPayloadOptions } from "../../src/cli/payload-flags.ts";
import { JobPayload } from "../../src/payload/job-payload.ts";
import { parseJobPayload } from "../../src/payload/parse.ts";
import { cli } from "../support/cli.ts";

const ENVIRONMENT = { HERE: "from here" };

function payload(args: string[]): Record<string, unknown> {
  const command = withPayloadOptions(new Command().argument("[command...]").exitOverride());
  command.configureOutput({ writeErr: () => {} });
  command.parse(args, { from: "user" });
  return payloadOf(command, command.args, ENVIRONMENT);
}

test("every key of the payload has a flag", () => {
  expect([...PAYLOAD_KEYS].filter((key) => key !== "payload").sort()).toEqual(
    Object.keys(JobPayload.entries).sort(),
  );
});

test.each([
  [
    ["--image", "busybox", "--", "sh", "-c", "a b"],
    { image: "busybox", command: ["sh", "-c", "a b"] },
  ],
  [
    ["-e", "A=1", "--env", "B=x=y", "-e", "HERE", "-e", "NOT"],
    { envs: { A: "1", B: "x=y", HERE: "from here" } },
  ],
  [["--pull", "missing"], { pullPolicy: "missing" }],
  [["--registry-auth", "own"], { registryAuth: "own" }],
  [["--in", "2h"], { startIn: "2h" }],
  [["--at", "1900000000"], { startAt: 1_900_000_000 }],
  [["--at", "2030-01-01T00:00:00Z"], { startAt: "2030-01-01T00:00:00Z" }],
  [
    ["--cron", "* * * * *", "--timezone", "Europe/Berlin"],
    { cron: "* * * * *", timezone: "Europe/Berlin" },
  ],
  [["--overlap", "skip", "--catch-up", "last"], { overlap: "skip", catchUp: "last" }],
  [["--retries", "3", "--retry-on", "1,75"], { retries: 3, retryOn: [1, 75] }],
  [
    [
      "--backoff-min",
      "500ms",
      "--backoff-max",
      "1m",
      "--backoff-factor",
      "1.5",
      "--no-backoff-jitter",
    ],
    { backoff: { minMs: 500, maxMs: 60_000, factor: 1.5, jitter: false } },
  ],
  [["--timeout", "30m"], { timeout: 1_800 }],
  [["--timeout", "7"], { timeout: 7 }],
  [["--expiration", "2030-01-01T00:00:00Z"], { expiration: "2030-01-01T00:00:00Z" }],
  [["--priority", "-5"], { priority: -5 }],
  [
    ["--concurrency-key", "k", "--concurrency-limit", "2"],
    { concurrencyKey: "k", concurrencyLimit: 2 },
  ],
  [["--idempotency-key", "once"], { idempotencyKey: "once" }],
  [["--on-host-lost", "rerun"], { onHostLost: "rerun" }],
  [
    ["--cpus", "0.5", "--memory", "64m", "--pids", "9"],
    { resources: { cpus: 0.5, memory: "64m", pids: 9 } },
  ],
  [
    ["--network", "n", "--user", "1:2", "--workdir", "/w"],
    { network: "n", user: "1:2", workdir: "/w" },
  ],
  [
    ["--add-host", "a:10.0.0.7", "--add-host", "b:[fd00::7]"],
    { additionalDNSEntries: { a: "10.0.0.7", b: "fd00::7" } },
  ],
  [["--metadata", "a=1", "--metadata", '{"b": {"c": 2}}'], { metadata: { a: "1", b: { c: 2 } } }],
  [
    ["--notify", "fails=a@x.example,b@x.example", "--notify", "c@x.example"],
    { notify: { fails: ["a@x.example", "b@x.example"], finishes: ["c@x.example"] } },
  ],
  [
    ["--webhook", "starts=https://x.example/?a=b"],
    { webhooks: { starts: [{ url: "https://x.example/?a=b" }] } },
  ],
] as [string[], object][])("%j", (args, expected) => {
  const made = payload(args);

  expect(made).toEqual(expected as Record<string, unknown>);
  const whole = { image: "busybox", command: "true", ...made };
  if (!("overlap" in made)) expect(() => parseJobPayload(JSON.stringify(whole))).not.toThrow();
});

test.each([
  [["--timeout", "soon"], /duration/],
  [["--retries", "many"], /number/],
  [["--pull", "perhaps"], /missing, always, never/],
  [["--metadata", "{nonsense"], /^--metadata: .*JSON/],
  [["--add-host", "alone"], /^--add-host: .*NAME:ADDRESS/],
  [["--env-file", "/nonexistent"], /^--env and --env-file: .*cannot be read/],
])("%j is refused", (args, words) => {
  expect(() => payload(args)).toThrow(words);
});

test("files and stdin are read, flags go over them, and secrets come from them alone", async () => {
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      if (request.method === "POST") asked.push(await request.json());
      const id = crypto.randomUUID();
      return Response.json({
        executionId: id,
        executionUrl: `http://x/${id}/`,
        jobId: id,
        jobUrl: "http://x",
      });
    },
  });
  const asked: unknown[] = [];
  const envs = `${process.env["TMPDIR"] ?? "/tmp"}/fastlane-envs-${crypto.randomUUID()}`;
  await Bun.write(envs, "# of a file\nA=file\nB=file\n\n");
  const hooks = {
    finishes: [{ url: "https://x.example", secret: "s", headers: { authorization: "x" } }],
  };
  await Bun.write(`${envs}.json`, JSON.stringify(hooks));

  const { code } = await cli(
    [
      ...["run", "t", "-d", "--url", server.url.href, "--payload", "-", "--env-file", envs],
      ...["-e", "B=flag", "--webhooks-file", `${envs}.json`, "--priority", "2"],
    ],
    {
      stdin: JSON.stringify({
        image: "of-stdin",
        command: "true",
        priority: 1,
        envs: { C: "payload" },
      }),
    },
  );
  await Promise.all([
    Bun.file(envs).delete(),
    Bun.file(`${envs}.json`).delete(),
    server.stop(true),
  ]);

  expect(code).toBe(0);
  expect(asked).toEqual([
    {
      ...{ image: "of-stdin", command: "true", priority: 2 },
      ...{ envs: { A: "file", B: "flag", C: "payload" }, webhooks: hooks },
    },
  ]);
});
