import { expect, test } from "bun:test";
import { BlockList, isIP } from "node:net";
import * as fc from "fast-check";
import { sendWebhook } from "../../src/notify/webhook.ts";
import { barOf } from "../../src/notify/webhook-address.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

const send = (
  url: string,
  rules: { allowPrivate?: boolean; resolve?: (name: string) => Promise<string[]> } = {},
) =>
  sendWebhook(
    { id: "msg_1", url, method: "POST", headers: {}, secret: null, body: "{}" },
    { allowPrivate: false, timeoutMs: 30_000, ...rules },
    new AbortController().signal,
  );

const PRIVATE = [
  ...["127.0.0.1", "127.255.255.254", "10.0.0.7", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
  ...["100.64.0.1", "100.127.255.255", "[::1]", "[fc00::1]", "[fdff::1]", "[fec0::1]"],
];
const NEVER = [
  ...["169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16", "0.0.0.0", "0.1.2.3"],
  ...["224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "192.0.0.192", "192.0.2.1"],
  ...["198.18.0.1", "198.51.100.1", "203.0.113.1", "[::]", "[fe80::1]", "[ff02::1]"],
  ...["[fd00:ec2::254]", "[fd20:ce::254]", "[fd00:c1::a9fe:a9fe]", "[fd00:42::42]"],
  ...[
    "[2001:db8::1]",
    "[100::1]",
    "[4000::1]",
    "[64:ff9b:1::808:808]",
    "[2001:0:a00:7::5601:5601]",
    "[2001:2::1]",
  ],
];
/** The same IPv4 address in the forms of IPv6 that lead to it. */
const IPV6_FORMS: [string, (high: string, low: string) => string][] = [
  ["mapped", (high, low) => `::ffff:${high}:${low}`],
  ["compatible", (high, low) => `::${high}:${low}`],
  ["translated", (high, low) => `::ffff:0:${high}:${low}`],
  ["NAT64", (high, low) => `64:ff9b::${high}:${low}`],
  ["6to4", (high, low) => `2002:${high}:${low}::1`],
  ["Teredo's server", (high, low) => `2001:0:${high}:${low}:0:0:f7f7:f7f7`],
  ["Teredo's client", (high, low) => `2001:0:808:808:0:0:${negative(high)}:${negative(low)}`],
];
const negative = (part: string) => (Number.parseInt(part, 16) ^ 0xffff).toString(16);
const inForm = (address: string, form: (high: string, low: string) => string) => {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return form(((a << 8) | b).toString(16), ((c << 8) | d).toString(16));
};
const formsOf = (address: string) =>
  IPV6_FORMS.map(([name, form]): [string, string] => [name, `[${inForm(address, form)}]`]);

test.each([
  ...PRIVATE.map((host) => ["as it is", host]),
  ...formsOf("10.0.0.7"),
  // As the URL parser reads them: 127.0.0.1 and 10.0.0.7.
  ...[
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "①②⑦.0.0.1",
    "0x7f.1",
    "10.7",
    "127.0.0.1.",
  ].map((host) => ["spelt otherwise", host]),
])(
  "a webhook to a private address (%s: %s) is refused, and webhooksAllowPrivate named",
  async (_, host) => {
    const answer = await send(`http://${host}:9/secret?token=t`);

    expect(answer).toMatchObject({ ok: false, status: null, isFinal: true });
    expect(answer.error).toMatch(
      /^\S+ is an? \D+: webhooks go there only when webhooksAllowPrivate is true$/,
    );
  },
);

test.each([
  ...NEVER.map((host) => ["as it is", host]),
  ...formsOf("169.254.169.254"),
  ...formsOf("168.63.129.16"),
  ...["2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376"].map((host) => [
    "spelt otherwise",
    host,
  ]),
])(
  "a webhook to an address for nobody (%s: %s) is refused, whatever is allowed",
  async (_, host) => {
    const answer = await send(`http://${host}:9/`, { allowPrivate: true });

    expect(answer).toMatchObject({ ok: false, status: null, isFinal: true });
    expect(answer.error).toContain("webhooks never go there, whatever webhooksAllowPrivate says");
  },
);

test.each(["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"])(
  "nothing bars the public address %s, nor what leads to it",
  (address) => {
    expect(barOf(address)).toBeNull();
    if (isIP(address) === 6) return;
    for (const [, form] of IPV6_FORMS) expect(barOf(inForm(address, form))).toBeNull();
  },
);

test.each([
  ...["file:///etc/passwd", "data:,x", "ftp://example.com/", "gopher://example.com", "unix:/x"],
  ...["not a url", "", "http://", "http://user@example.com/", "https://:secret@example.com/"],
  ...["http://999.1.1.1/", "http://[fe80::1%25eth0]/", "http://a b/"],
])("%p is no URL for a webhook", async (url) => {
  const answer = await send(url, { allowPrivate: true });

  expect(answer).toMatchObject({ ok: false, status: null, isFinal: true });
  expect(answer.error).toStartWith("The URL of the webhook ");
  expect(answer.error).not.toContain("secret");
});

test("a public name that points to a private address is refused before anybody is called", async () => {
  await using receiver = await startReceiver();
  const resolve = async () => ["127.0.0.1"];

  const answer = await send(`http://hooks.example:${receiver.port}/`, { resolve });

  expect(answer).toMatchObject({ ok: false, isFinal: true });
  expect(answer.error).toBe(
    "hooks.example is at 127.0.0.1, a loopback address: webhooks go there only when webhooksAllowPrivate is true",
  );
  expect(receiver.requests).toEqual([]);
});

test("this machine's own name is judged by the address that the system knows", async () => {
  await using receiver = await startReceiver();

  const refused = await send(`http://localhost:${receiver.port}/`);
  const allowed = await send(`http://localhost:${receiver.port}/`, { allowPrivate: true });

  expect(refused.error).toContain("a loopback address");
  expect(allowed.error).toBeNull();
});

test("a name that changes its address behind the check is still called at the one that was checked", async () => {
  await using receiver = await startReceiver();
  const answers = [["127.0.0.1"], ["169.254.169.254"]];
  const asked: string[] = [];
  const resolve = async (name: string) => {
    asked.push(name);
    return answers.shift() ?? [];
  };

  const answer = await send(`http://hooks.example:${receiver.port}/`, {
    resolve,
    allowPrivate: true,
  });

  expect(answer.error).toBeNull();
  expect(asked).toEqual(["hooks.example"]);
  expect(receiver.requests[0]?.headers["host"]).toBe(`hooks.example:${receiver.port}`);
});

test("of a name's addresses only those that are allowed are called", async () => {
  await using receiver = await startReceiver();
  const resolve = async () => ["0.0.0.0", "169.254.169.254", "::1", "::", "127.0.0.1"];

  const answer = await send(`http://hooks.example:${receiver.port}/`, {
    resolve,
    allowPrivate: true,
  });
  const closed = await send("http://hooks.example:1/", { resolve, allowPrivate: true });

  expect(answer.error).toBeNull();
  expect(closed.error).toBe("Nobody listens at [::1]:1 or 127.0.0.1:1");
});

test.each([[[]], [["no address"]], [["127.1"]], [["fe80::1%eth0"]]])(
  "a resolver that answers %j leads nowhere",
  async (found) => {
    const answer = await send("http://hooks.example/", {
      resolve: async () => found,
      allowPrivate: true,
    });

    expect(answer).toMatchObject({ ok: false, isFinal: true });
    expect(answer.error).toContain("hooks.example");
  },
);

/** What is not the internet, as the registries have it, by another's arithmetic. */
const notPublic = new BlockList();
for (const range of [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"],
]) {
  const [network = "", bits] = range.split("/");
  notPublic.addSubnet(network, Number(bits), "ipv4");
}
/** Often at the edges of a range. */
const byte = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(
    0,
    1,
    10,
    63,
    64,
    100,
    127,
    128,
    168,
    169,
    172,
    191,
    192,
    198,
    223,
    224,
    254,
    255,
  ),
);
const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));

test("no IPv4 address of a private or reserved range passes, in whatever form it is written", () => {
  fc.assert(
    fc.property(ipv4, fc.constantFrom(...IPV6_FORMS), (address, [, form]) => {
      const bar = barOf(address);

      if (notPublic.check(address, "ipv4")) expect(bar).not.toBeNull();
      // "::" and "::1" are the compatible forms of two of these, and have meanings of their own.
      if (address.startsWith("0.")) expect(barOf(inForm(address, form))).not.toBeNull();
      else expect(barOf(inForm(address, form))?.isPrivate).toBe(bar?.isPrivate);
    }),
    { numRuns: 5_000 },
  );
});

test("of IPv6 addresses only those of 2000::/3 and the forms of IPv4 ones ever pass", () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const isGlobal = /^[23][0-9a-f]{3}:/i.test(address);
      const isForm = /^(0*:|64:ff9b:)/i.test(address);

      if (!isGlobal && !isForm) expect(barOf(address)).not.toBeNull();
    }),
    { numRuns: 5_000 },
  );
});
