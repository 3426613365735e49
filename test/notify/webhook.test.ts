import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { Webhook } from "standardwebhooks";
import { sendWebhook, type WebhookRequest, type WebhookRules } from "../../src/notify/webhook.ts";
import { temporaryFolder } from "../support/access.ts";
import { type Authority, makeAuthority } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";
import {
  type ReceiverAnswer,
  startRawReceiver,
  startReceiver,
} from "../support/webhook-receiver.ts";

const SECRET = `whsec_${Buffer.from("a secret of 24 bytes, so").toString("base64")}`;
const BODY = JSON.stringify({ type: "job.finished", name: "Zoë" });
/** Long for what happens at once, short enough to be waited for. */
const SHORT_MS = 500;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let authority: Authority;
beforeAll(async () => {
  folder = await temporaryFolder();
  authority = makeAuthority(`${folder.path}/authority`);
});
afterAll(() => folder[Symbol.asyncDispose]());

function send(
  request: Partial<WebhookRequest> & { url: string },
  rules: Partial<WebhookRules> = {},
  signal = new AbortController().signal,
) {
  const { id = "msg_1", method = "POST", headers = {}, secret = null, body = BODY } = request;
  return sendWebhook(
    { id, url: request.url, method, headers, secret, body },
    { allowPrivate: true, timeoutMs: 30_000, ...rules },
    signal,
  );
}

test("a receiver gets the body as it is, with id, time and the user's headers", async () => {
  await using receiver = await startReceiver();

  const answer = await send(
    {
      url: `${receiver.url}/hook?a=b%20c#part`,
      headers: { "X-Key": "k\xe9", Authorization: "B t" },
    },
    { userAgent: "fastlane/1.2.3" },
  );

  const [got] = receiver.requests;
  expect(answer).toMatchObject({ ok: true, status: 204, error: null, isFinal: false });
  expect(got).toMatchObject({ method: "POST", path: "/hook?a=b%20c", body: BODY });
  expect(got?.headers).toEqual({
    host: `127.0.0.1:${receiver.port}`,
    connection: "close",
    "content-length": `${Buffer.byteLength(BODY)}`,
    "content-type": "application/json",
    "user-agent": "fastlane/1.2.3",
    "webhook-id": "msg_1",
    "webhook-timestamp": `${Math.floor(answer.at.getTime() / 1_000)}`,
    "x-key": "k\xe9",
    authorization: "B t",
  });
});

test.each([
  ["of whsec_ and base64", SECRET, new Webhook(SECRET)],
  ["of any other text", "geheim: Zoë", new Webhook(Buffer.from("geheim: Zoë"), { format: "raw" })],
])(
  "a receiver with the library of Standard Webhooks takes a signature by a secret %s",
  async (_, secret, verifier) => {
    await using receiver = await startReceiver();

    await send({ url: receiver.url, secret });

    const [got] = await receiver.received(1);
    expect(verifier.verify(got?.body ?? "", got?.headers ?? {})).toEqual(JSON.parse(BODY));
    expect(() => verifier.verify(`${got?.body} `, got?.headers ?? {})).toThrow();
  },
);

test.each(["GET", "DELETE"] as const)(
  "%s goes without a body, and is signed over none",
  async (method) => {
    await using receiver = await startReceiver();

    await send({ url: receiver.url, method, secret: SECRET });

    const [got] = await receiver.received(1);
    expect(got).toMatchObject({ method, body: "" });
    expect(Object.keys(got?.headers ?? {})).not.toContain("content-type");
    expect(Object.keys(got?.headers ?? {})).not.toContain("transfer-encoding");
    expect(new Webhook(SECRET).verify("", got?.headers ?? {})).toBeUndefined();
  },
);

test("what fastlane says of itself a user's header cannot replace", async () => {
  await using receiver = await startReceiver();

  const headers = { "Content-Type": "text/html", "USER-AGENT": "curl", ["__proto__"]: "x" };
  await send({ url: receiver.url, headers }, { userAgent: "fastlane/1" });

  const [got] = await receiver.received(1);
  expect(got?.headers).toMatchObject({
    "content-type": "application/json",
    "user-agent": "fastlane/1",
  });
});

test.each([
  ["X-A", "1\r\nHost: elsewhere"],
  ["X-A", "1\n2"],
  ["X-A", "\u0100"],
  ["X-A\r\nX-B", "1"],
  ["X A", "1"],
  ["", "1"],
  ["Host", "elsewhere"],
  ["Content-Length", "0"],
  ["Transfer-Encoding", "chunked"],
  ["Connection", "keep-alive"],
  ["Proxy-Authorization", "x"],
  ["Webhook-Signature", "v1,x"],
])("a webhook with the header %p: %p is refused and never sent", async (name, text) => {
  await using receiver = await startReceiver();

  const answer = await send({ url: receiver.url, headers: { [name]: text } });

  expect(answer).toMatchObject({ ok: false, status: null, isFinal: true });
  expect(answer.error).toContain(`the header ${JSON.stringify(name)}`);
  expect(receiver.requests).toEqual([]);
});

test.each(["", "whsec_", "whsec_no base64"])(
  "the secret %p signs nothing, and says so",
  async (secret) => {
    await using receiver = await startReceiver();

    const answer = await send({ url: receiver.url, secret });

    expect(answer).toMatchObject({ ok: false, isFinal: true });
    expect(answer.error).toContain("The secret of the webhook");
    expect(receiver.requests).toEqual([]);
  },
);

const redirect: ReceiverAnswer = {
  status: 302,
  headers: { location: "http://u:p@169.254.169.254/latest/?token=t" },
};
test.each<[ReceiverAnswer, { ok?: boolean; isFinal?: boolean; error?: string | null }]>([
  [200, { ok: true, error: null }],
  [299, { ok: true, error: null }],
  [304, { error: "The receiver answered 304 Not Modified" }],
  [400, { error: "The receiver answered 400 Bad Request" }],
  [410, { error: "The receiver answered 410 Gone", isFinal: true }],
  [500, { error: "The receiver answered 500 Internal Server Error" }],
  [599, { error: "The receiver answered 599" }],
  [
    redirect,
    {
      error:
        "The receiver answered 302 Found and points to http://169.254.169.254/latest/: webhooks follow no redirects",
    },
  ],
])("an answer %j is told as it is", async (answer, expected) => {
  await using receiver = await startReceiver({ answer });

  expect(await send({ url: receiver.url })).toMatchObject({
    ok: false,
    isFinal: false,
    status: typeof answer === "number" ? answer : 302,
    ...expected,
  });
});

test("a redirect to another receiver is not followed", async () => {
  await using elsewhere = await startReceiver();
  await using receiver = await startReceiver({
    answer: { status: 307, headers: { location: elsewhere.url } },
  });

  const answer = await send({ url: receiver.url });

  expect(answer.error).toContain(`points to ${elsewhere.url}/`);
  expect(elsewhere.requests).toEqual([]);
});

const inAMinute = () => new Date(Math.floor(Date.now() / 1_000) * 1_000 + 60_000).toUTCString();
test.each<[() => string, number, number]>([
  [() => "7", 7, 7],
  [() => "0", 0, 0],
  [() => "99999999999999999999", 86_400, 86_400],
  [inAMinute, 50, 60],
  [() => "Sun, 06 Nov 1994 08:49:37 GMT", 0, 0],
  [() => "Sun, 06 Nov 2994 08:49:37 GMT", 86_400, 86_400],
])("a Retry-After is heeded, for a day at most (case %#)", async (text, least, most) => {
  await using receiver = await startReceiver({
    answer: { status: 429, headers: { "retry-after": text() } },
  });

  const { retryAfterSeconds } = await send({ url: receiver.url });

  expect(retryAfterSeconds).toBeGreaterThanOrEqual(least);
  expect(retryAfterSeconds).toBeLessThanOrEqual(most);
});

test.each(["soon", "-1", "1.5", "2026-01-01", "Noneday, 99 Foo 2026 GMT", ""])(
  "a Retry-After of %p says nothing",
  async (text) => {
    await using receiver = await startReceiver({
      answer: { status: 503, headers: { "retry-after": text } },
    });

    expect((await send({ url: receiver.url })).retryAfterSeconds).toBeNull();
  },
);

test("of an answer the first 2 KiB are kept, whole characters and no NUL", async () => {
  const body = `ab\0${"é".repeat(5_000)}`;
  await using receiver = await startReceiver({ answer: { status: 200, body } });

  const { answer } = await send({ url: receiver.url });

  expect(answer).toBe(`ab\ufffd${"é".repeat(1_022)}`);
});

test("an answer of 10 GB is broken off near its beginning", async () => {
  let written = 0;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  await using receiver = await startRawReceiver((socket) => {
    const block = Buffer.alloc(65_536, "x");
    const pump = () => {
      do written += block.length;
      while (!socket.destroyed && socket.write(block));
    };
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
    socket.on("drain", pump).on("close", resolve);
    pump();
  });

  const { ok, answer } = await send({ url: receiver.url });
  await closed;

  expect({ ok, length: answer.length }).toEqual({ ok: true, length: 2_048 });
  // What the kernel's buffers hold was written, and not read.
  expect(written).toBeLessThan(32_000_000);
});

const head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
const endless = (socket: Socket, part: string) => {
  const more = () => {
    while (!socket.destroyed && socket.write(part));
  };
  socket.write("HTTP/1.1 200 OK\r\n");
  socket.on("drain", more);
  more();
};
test.each<[string, (socket: Socket) => void, string]>([
  ["resets the connection", (socket) => socket.resetAndDestroy(), "broke off the connection"],
  ["closes it without an answer", (socket) => socket.end(), "broke off the connection"],
  ["stops in its headers", (socket) => socket.end("HTTP/1.1 200 O"), "broke off the connection"],
  [
    "speaks something else",
    (socket) => socket.end("SSH-2.0-x\r\n\r\n"),
    "something that is no HTTP",
  ],
  [
    "sends headers for ever",
    (socket) => endless(socket, `X-A: ${"a".repeat(4_000)}\r\n`),
    "more than 16 KiB of headers",
  ],
  [
    "sends 20 kB of headers",
    (socket) => socket.end(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`),
    "more than 16 KiB of headers",
  ],
  [
    "changes the protocol",
    (socket) => socket.write("HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "answered 101 Switching Protocols",
  ],
  ["says nothing", () => {}, "did not answer within 0.5 s"],
  [
    "sends a header without an end",
    (socket) => socket.write("HTTP/1.1 200 OK\r\nX"),
    "within 0.5 s",
  ],
])("a receiver that %s is told of in a sentence", async (_, onRequest, words) => {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  await using receiver = await startRawReceiver((socket) => {
    socket.on("close", resolve);
    onRequest(socket);
  });

  const answer = await send(
    { url: receiver.url },
    words.includes("0.5 s") ? { timeoutMs: SHORT_MS } : {},
  );

  expect(answer).toMatchObject({ ok: false, isFinal: false, retryAfterSeconds: null });
  expect(answer.error).toContain(words);
  await gone;
});

test.each<[string, (socket: Socket) => void]>([
  ["stalls", (socket) => socket.write(`${head}part`)],
  ["ends too soon", (socket) => socket.end(`${head}part`)],
  [
    "sends no right chunk",
    (socket) =>
      socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n"),
  ],
])("a receiver that %s behind a 200 has taken the webhook", async (_, onRequest) => {
  await using receiver = await startRawReceiver(onRequest);

  const answer = await send({ url: receiver.url }, { timeoutMs: 3_000 });

  expect(answer).toMatchObject({ ok: true, status: 200, error: null });
  expect("part").toContain(answer.answer);
});

test("a receiver that is slow, but in time, is waited for", async () => {
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  await using receiver = await startReceiver({ answer: () => told.then(() => 200) });

  const sending = send({ url: receiver.url });
  await receiver.received(1);
  tell();

  expect((await sending).ok).toBe(true);
});

test("a name that is not resolved in time is told of, and one that nobody has", async () => {
  const never = () => new Promise<string[]>(() => {});

  const slow = await send(
    { url: "http://hooks.example/" },
    { resolve: never, timeoutMs: SHORT_MS },
  );
  const unknown = await send({ url: "http://no-such-host.invalid/secret" });

  expect(slow).toMatchObject({ ok: false, isFinal: false });
  expect(slow.error).toBe("The receiver did not answer within 0.5 s");
  expect(unknown).toMatchObject({ ok: false, isFinal: false });
  expect(unknown.error).toBe("There is no machine of the name no-such-host.invalid");
});

test("where nobody listens is named, each address of it", async () => {
  const port = await freePort();

  const one = await send({ url: `http://127.0.0.1:${port}/secret` });
  const two = await send(
    { url: `http://hooks.example:${port}/secret` },
    { resolve: async () => ["127.0.0.1", "::1"] },
  );

  expect(one.error).toBe(`Nobody listens at 127.0.0.1:${port}`);
  expect(two.error).toBe(`Nobody listens at 127.0.0.1:${port} or [::1]:${port}`);
  expect(one.isFinal || two.isFinal).toBe(false);
});

test("a sender that is told to stop throws, and leaves no connection", async () => {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const stop = new AbortController();
  await using receiver = await startRawReceiver((socket) => {
    socket.on("close", resolve);
    stop.abort(new Error("stopped"));
  });

  await expect(send({ url: receiver.url }, {}, stop.signal)).rejects.toThrow("stopped");
  await gone;
  await expect(send({ url: receiver.url }, {}, stop.signal)).rejects.toThrow("stopped");
});

const hooks = { resolve: async () => ["127.0.0.1"] };

test("over TLS a receiver is known by its name, and is told which one is meant", async () => {
  const tls = authority.issueNamed("hooks.example");
  await using receiver = await startReceiver({ tls });
  const authorities = [readFileSync(authority.caFile, "utf8")];

  const answers = await Promise.all(
    ["hooks.example", "hooks.example."].map((name) =>
      send({ url: `https://${name}:${receiver.port}/` }, { ...hooks, authorities }),
    ),
  );

  expect(answers.map(({ error }) => error)).toEqual([null, null]);
  expect(receiver.requests.map(({ servername }) => servername)).toEqual([
    "hooks.example",
    "hooks.example",
  ]);
  expect(receiver.requests.map(({ headers }) => headers["host"]).sort()).toEqual(
    [`hooks.example.:${receiver.port}`, `hooks.example:${receiver.port}`].sort(),
  );
});

test.each<[string, (of: Authority) => { certFile: string; keyFile: string }, boolean, string]>([
  ["of an authority that does not count", (of) => of.issueNamed("a.example"), false, "no trusted"],
  ["for another name", (of) => of.issueNamed("b.example"), true, "it is for another name"],
  ["that has expired", (of) => of.issueExpired("c.example", "127.0.0.1"), true, "it has expired"],
])(
  "a certificate %s ends it before anything is sent, whatever the environment says",
  async (_, issue, isTrusted, words) => {
    const tls = issue(authority);
    await using receiver = await startReceiver({ tls });
    const authorities = isTrusted ? { authorities: [readFileSync(authority.caFile, "utf8")] } : {};
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      const answer = await send(
        { url: `https://a.example:${receiver.port}/` },
        { ...hooks, ...authorities },
      );

      expect(answer).toMatchObject({ ok: false, isFinal: false });
      expect(answer.error).toStartWith("The certificate of a.example is not valid: ");
      expect(answer.error).toContain(words);
      expect(receiver.requests).toEqual([]);
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
  },
);

test("a certificate for an address is good for that address", async () => {
  await using receiver = await startReceiver({ tls: authority.issueServer("ip", "127.0.0.1") });
  const authorities = [readFileSync(authority.caFile, "utf8")];

  expect((await send({ url: receiver.url }, { authorities })).error).toBeNull();
});

test("a receiver without TLS is told of at an https URL", async () => {
  await using receiver = await startReceiver();

  const { error } = await send({ url: `https://127.0.0.1:${receiver.port}/` });

  expect(error).toBe(`The receiver does not speak TLS at 127.0.0.1:${receiver.port}`);
});

test("a receiver that never shakes hands over TLS is given up in time", async () => {
  await using receiver = await startRawReceiver(() => {});

  const { error } = await send(
    { url: `https://127.0.0.1:${receiver.port}/` },
    { timeoutMs: SHORT_MS },
  );

  expect(error).toBe("The receiver did not answer within 0.5 s");
});

test("a proxy of the environment is never asked", async () => {
  await using proxy = await startReceiver();
  await using receiver = await startReceiver();
  const names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "NODE_USE_ENV_PROXY"];
  for (const name of names) process.env[name] = name.startsWith("NODE") ? "1" : proxy.url;
  try {
    expect((await send({ url: receiver.url })).ok).toBe(true);
  } finally {
    for (const name of names) delete process.env[name];
  }

  expect([proxy.requests.length, receiver.requests.length]).toEqual([0, 1]);
});

test("receivers of tests answer in turn, reset, close and keep what came", async () => {
  await using receiver = await startReceiver({ answer: [500, "reset", "close", 200] });

  const answers = [];
  for (let n = 0; n < 5; n++) answers.push(await send({ url: receiver.url, id: `msg_${n}` }));

  expect(answers.map(({ status }) => status)).toEqual([500, null, null, 200, 200]);
  expect((await receiver.received(5)).map(({ headers }) => headers["webhook-id"])).toEqual(
    [0, 1, 2, 3, 4].map((n) => `msg_${n}`),
  );
  receiver.answer("silence");
  const unanswered = send({ url: receiver.url });
  await receiver.received(6);
  await receiver.stop();
  expect((await unanswered).error).toBe("The receiver broke off the connection without an answer");
});
