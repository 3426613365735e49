import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { errorOf, rawRequest } from "../http/request.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";

const STDOUT_BYTES = 3_000_000;
const STDERR_BYTES = 400_000;
const RUNS = 100;

let app: TestApp;
let job: Enqueued;
/** The texts of the routes, as they are answered whole. */
const texts: Record<string, Buffer> = {};
/** What the container says of its own outputs. */
let sums: string[];

beforeAll(async () => {
  app = await startTestApp();
  job = await enqueue(app.url, "down-load", {
    command: [
      "sh",
      "-c",
      `head -c ${STDOUT_BYTES} /dev/urandom > /tmp/o; head -c ${STDERR_BYTES} /dev/urandom > /tmp/e
       cat /tmp/o & cat /tmp/e >&2; wait; sha256sum /tmp/o /tmp/e | cut -c1-64 > /tmp/s
       printf 'sums: '; cat /tmp/s`,
    ],
  });
  await untilEnded(job);
  for (const route of ["logs/", "stdout/", "stderr/"]) {
    texts[route] = Buffer.from(await (await fetch(job.executionUrl + route)).bytes());
  }
  sums = String(texts["stdout/"]?.subarray(STDOUT_BYTES)).slice("sums: ".length).trim().split("\n");
});
afterAll(() => app[Symbol.asyncDispose]());

const whole = (route: string) => texts[route] ?? Buffer.of();
const get = (route: string, headers: Record<string, string> = {}) =>
  fetch(job.executionUrl + route, { headers: { "accept-encoding": "identity", ...headers } });
const shell = (script: string) => ({ command: ["sh", "-c", script] });
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("the whole texts are what the container wrote", () => {
  const stdout = whole("stdout/").subarray(0, STDOUT_BYTES);

  expect([sha256(stdout), sha256(whole("stderr/"))]).toEqual(sums);
  const both = [whole("stdout/"), Buffer.from("\n-=-\n"), whole("stderr/")];
  expect(whole("logs/").equals(Buffer.concat(both))).toBe(true);
});

test(`${RUNS} ranges at random places are the bytes of the text, on each route`, async () => {
  const range = fc.record({
    route: fc.constantFrom("logs/", "stdout/", "stderr/"),
    ofJob: fc.boolean(),
    // Near the line between both streams a mistake would show first.
    start: fc.oneof(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.constant(0.881)),
    length: fc.oneof(fc.nat(2_000_000), fc.nat(10)),
    form: fc.constantFrom("both", "first", "last"),
  });
  const property = fc.asyncProperty(range, async ({ route, ofJob, start, length, form }) => {
    const text = whole(route);
    const first = Math.floor(start * text.length);
    const last = Math.min(text.length - 1, first + length);
    const asked = {
      both: [`${first}-${first + length}`, text.subarray(first, last + 1)] as const,
      first: [`${first}-`, text.subarray(first)] as const,
      last: [`-${length + 1}`, text.subarray(-(length + 1))] as const,
    }[form];

    const url = ofJob ? `${job.jobUrl}/` : job.executionUrl;
    const answer = await fetch(url + route, { headers: { range: `bytes=${asked[0]}` } });

    const bytes = Buffer.from(await answer.bytes());
    expect([answer.status, bytes.length]).toEqual([206, asked[1].length]);
    expect(bytes.equals(asked[1])).toBe(true);
    const begin = form === "last" ? text.length - bytes.length : first;
    expect(answer.headers.get("content-range")).toBe(
      `bytes ${begin}-${begin + bytes.length - 1}/${text.length}`,
    );
  });

  await fc.assert(property, { numRuns: RUNS });
});

test.each([
  ["bytes=0-1,5-6", 200],
  ["bytes=9-3", 200],
  ["lines=0-1", 200],
  ["bytes=a-b", 200],
  ["bytes=-", 200],
  ["bytes=0-0", 206],
])("Range: %s is answered with %i", async (range, status) => {
  const answer = await get("stderr/", { range });

  expect(answer.status).toBe(status);
  expect((await answer.bytes()).length).toBe(status === 206 ? 1 : STDERR_BYTES);
});

test.each([[`bytes=${STDERR_BYTES}-`], ["bytes=9000000-9000001"], ["bytes=-0"]])(
  "Range: %s asks for nothing that is there, and is told the size",
  async (range) => {
    const answer = await get("stderr/", { range });

    expect(answer.headers.get("content-range")).toBe(`bytes */${STDERR_BYTES}`);
    expect((await errorOf(answer, 416)).error).toContain(`the text has ${STDERR_BYTES} bytes`);
  },
);

test("a range is answered only while the text is the one that is known", async () => {
  const tag = (await get("stderr/")).headers.get("etag") ?? "";
  const statusOf = async (ifRange: string) => {
    const answer = await get("stderr/", { range: "bytes=5-9", "if-range": ifRange });
    return [answer.status, (await answer.bytes()).length];
  };

  expect(await statusOf(tag)).toEqual([206, 5]);
  expect(await statusOf('"another"')).toEqual([200, STDERR_BYTES]);
  expect(await statusOf(`W/${tag}`)).toEqual([200, STDERR_BYTES]);
  expect(tag).not.toBe((await get("stdout/")).headers.get("etag") ?? "");
});

test.each([["%"], ["W/%"], ['"another", %'], ["*"]])(
  "If-None-Match: %s says that the text is known: it is not sent again",
  async (form) => {
    const tag = (await get("stderr/")).headers.get("etag") ?? "";

    const answer = await get("stderr/", { "if-none-match": form.replace("%", tag) });

    expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([
      304,
      tag,
      "",
    ]);
    expect((await get("stderr/", { "if-none-match": '"another"' })).status).toBe(200);
  },
);

test.each(["logs/", "stdout/", "stderr/"])("HEAD tells the size of %s", async (route) => {
  const { pathname } = new URL(job.executionUrl + route);

  const answer = await rawRequest(app, `HEAD ${pathname}`, ["Range: bytes=0-5"]);

  expect([answer.status, answer.body]).toEqual([200, ""]);
  expect(answer.head).toContain(`content-length: ${whole(route).length}`);
  expect(answer.head).toContain("accept-ranges: bytes");
  expect(answer.head).toContain("etag: ");
});

test("what is still written to, or is a part of a text, is answered whole and without a size", async () => {
  const running = await enqueue(app.url, "running", shell("echo begun; exec sleep 600"));
  await untilExecution(running, ({ log }) => log === "begun\n");

  const answers = await Promise.all([
    fetch(`${running.executionUrl}stdout/`, { headers: { range: "bytes=0-1" } }),
    get("stderr/?tail=1", { range: "bytes=0-1" }),
    get("stderr/?since=0", { range: "bytes=0-1" }),
    get("stderr/?follow=true", { range: "bytes=0-1" }),
    get("logs/?format=ndjson", { range: "bytes=0-1" }),
  ]);

  const size = ({ status, headers }: Response) => [
    status,
    ...["accept-ranges", "content-range", "etag"].map((name) => headers.get(name)),
  ];
  for (const answer of answers) expect(size(answer)).toEqual([200, null, null, null]);
  expect(await answers[0].text()).toBe("begun\n");
  const head = await rawRequest(app, `HEAD ${new URL(running.executionUrl).pathname}logs/`);
  expect([head.status, head.body]).toEqual([200, ""]);
  await fetch(`${running.executionUrl}stop/`, { method: "POST" });
});

test.each([["--http1.0"], ["--http1.1"], ["--compressed"]])(
  "curl %s saves each text as it is",
  async (option) => {
    for (const route of ["logs/", "stdout/", "stderr/"]) {
      const curl = Bun.spawn(["curl", "-sS", "-f", option, job.executionUrl + route]);
      const bytes = Buffer.from(await new Response(curl.stdout).bytes());

      expect([route, await curl.exited, bytes.equals(whole(route))]).toEqual([route, 0, true]);
    }
  },
);

test("curl -C - goes on with a download that broke off, and leaves one alone that is whole", async () => {
  const folder = await mkdtemp(join(tmpdir(), "download-"));
  const path = join(folder, "stdout");
  const url = `${job.executionUrl}stdout/`;
  const resume = async () => {
    const curl = Bun.spawn(["curl", "-sS", "-f", "-C", "-", "-o", path, url], { stderr: "pipe" });
    return [await curl.exited, await curl.stderr.text()];
  };
  await appendFile(path, await firstBytesOf(url, 1_000_000));

  const first = await resume();
  const bytes = Buffer.from(await Bun.file(path).bytes());
  await resume();
  const again = Buffer.from(await Bun.file(path).bytes());

  expect(first).toEqual([0, ""]);
  expect(bytes.equals(whole("stdout/"))).toBe(true);
  expect(again.equals(bytes)).toBe(true);
  await rm(folder, { recursive: true });
});

/** The beginning of a body, as it comes until the connection is broken off. */
async function firstBytesOf(url: string, atLeast: number): Promise<Buffer> {
  const { hostname, port, pathname, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write(`GET ${pathname} HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
  const parts: Buffer[] = [];
  for await (const part of socket) {
    parts.push(part);
    if (parts.reduce((sum, { length }) => sum + length, 0) > atLeast) break;
  }
  const bytes = Buffer.concat(parts);
  return bytes.subarray(bytes.indexOf("\r\n\r\n") + 4);
}

test.each([
  ["down-load", "logs/", "down-load", "logs.txt"],
  ["..\\etc\\passwd", "stdout/", "_._etc_passwd", "stdout.txt"],
  ['a"b; filename="evil.sh', "logs/?format=ndjson", "a_b__filename__evil.sh", "logs.ndjson"],
  ["-rf", "stdout/", "_rf", "stdout.txt"],
  ["Bücher-日本", "stderr/", "Bücher-日本", "stderr.txt"],
])("the download of task %s, %s, has a safe name", async (task, route, safe, end) => {
  const made = await enqueue(app.url, encodeURIComponent(task), shell("echo out"));
  await untilEnded(made);

  const url = new URL(route, made.executionUrl);
  url.searchParams.set("download", "true");
  const answer = await fetch(url);

  const name = `${safe}-${made.executionId}-${end}`;
  expect(answer.headers.get("content-disposition")).toBe(
    `attachment; filename="${name.replace(/[^\x20-\x7e]/g, "_")}"; filename*=UTF-8''${encodeURIComponent(name)}`,
  );
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  expect((await get("stderr/")).headers.get("content-disposition")).toBeNull();
});
