import { afterAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { type ClientOptions, createClient, read } from "../../src/client/client.ts";
import { makeAuthority } from "../support/certificates.ts";

const disposals = new AsyncDisposableStack();
afterAll(() => disposals.disposeAsync());

/** A server that answers so, and what it was asked. */
function serve(answer: () => Response, tls?: { cert: string; key: string }) {
  const asked: { url: string; authorization: string | null; body: Promise<string> }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    ...(tls === undefined ? {} : { tls }),
    fetch(request) {
      const { url, headers } = request;
      const body = request.text();
      asked.push({ url, authorization: headers.get("authorization"), body });
      return body.then(answer);
    },
  });
  disposals.defer(() => server.stop(true));
  return { url: server.url.href.replace(/\/$/, ""), port: server.port, asked };
}

const clientOf = (url: string, options: Partial<ClientOptions> = {}) =>
  createClient({
    ...{ url, authorization: null, ca: null, proxyFor: () => null, version: "test" },
    ...options,
  });
const refused = (status: number, error: string, headers = {}) =>
  Response.json({ error, operation: "x" }, { status, headers });
const said = (status: number, headers = {}) => refused(status, "Its own words", headers);

test.each([
  ["fastlane's own words", () => said(404), /^Its own words$/],
  ["who is not known", () => said(401), /^Its own words; .*fastlane login http:.*FASTLANE_TOKEN/],
  ["a policy", () => said(403), /does not allow it: Its own words$/],
  ["whose role is less", () => refused(403, "This needs the role admin"), /admin; .*whoami/],
  ["whose tasks are others", () => refused(403, "This token is only for x"), /x; .*whoami/],
  ["who asks too often", () => said(429, { "retry-after": "7" }), /in 7 s$/],
  ["how long to wait", () => refused(429, "Too many: try again in 7 s"), /^Too many: .* 7 s$/],
  ["a page", () => new Response("<html>", { status: 404 }), /is not a fastlane/],
  ["a page that is well", () => new Response("<html>"), /is not a fastlane: its answer is no JSON/],
  ["a gateway without one", () => new Response("", { status: 502 }), /in front of fastlane/],
  [
    "elsewhere",
    () => Response.redirect("https://other.example/x?token=1"),
    /https:\/\/other\.example\/x:/,
  ],
])("%s is told in a sentence", async (_, answer, sentence) => {
  const { url } = serve(answer);

  await expect(clientOf(url).get("/tasks/")).rejects.toThrow(sentence);
});

test.each([
  ["http://127.0.0.1:1", /nothing listens there/],
  ["http://no-such-host.invalid", /its name is not found/],
])("%s cannot be reached, and why", async (url, sentence) => {
  await expect(clientOf(url).get("/tasks/")).rejects.toThrow(sentence);
});

test("what answers without fastlane's keys does not speak the contract", async () => {
  const { url } = serve(() => Response.json({ jobs: "no" }));
  const client = clientOf(url);
  const schema = v.looseObject({ jobs: v.array(v.string()) });

  const answer = await client.get("/");

  expect(() => read(client, schema, answer)).toThrow(/contract: "jobs"/);
});

test("who asks is said to the server alone, also below a prefix", async () => {
  const { url, asked } = serve(() => Response.json({}));

  await clientOf(`${url}/fastlane`, { authorization: "Bearer fl_x" }).send(
    "POST",
    "http://elsewhere/tasks/a/",
    { a: 1 },
  );

  expect(asked[0]?.url).toBe(`${url}/fastlane/tasks/a/`);
  expect(asked[0]?.authorization).toBe("Bearer fl_x");
  expect(await asked[0]?.body).toBe('{"a":1}');
});

test("TLS is checked by the certificates that are given, directly and through a proxy", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fastlane-client-"));
  disposals.defer(() => rm(folder, { recursive: true }));
  const authority = makeAuthority(folder);
  const own = authority.issueServer("server", "127.0.0.1");
  const other = authority.issueNamed("other.example");
  const pem = async ({ certFile, keyFile }: typeof own) => ({
    cert: await readFile(certFile, "utf8"),
    key: await readFile(keyFile, "utf8"),
  });
  const [server, misnamed] = [
    serve(() => Response.json("here"), await pem(own)),
    serve(() => Response.json("here"), await pem(other)),
  ];
  const proxy = await startProxy();
  const ca = await readFile(authority.caFile, "utf8");
  const proxyFor = () => proxy.url;

  expect(await clientOf(server.url, { ca }).get("/")).toBe("here");
  expect(await clientOf(server.url, { ca, proxyFor }).get("/")).toBe("here");
  expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${server.port}`]);
  await expect(clientOf(server.url).get("/")).rejects.toThrow(/not trusted.*--ca-file/);
  await expect(clientOf(misnamed.url, { ca }).get("/")).rejects.toThrow("is for another name");
  await expect(clientOf(server.url.replace("https", "http")).get("/")).rejects.toThrow(/./);
});

test("a proxy forwards what is plain, and is named without its login when it is away", async () => {
  const { url } = serve(() => Response.json("here"));
  const proxy = await startProxy();

  expect(await clientOf(url, { proxyFor: () => proxy.url }).get("/x")).toBe("here");
  expect(proxy.asked).toEqual([`GET ${url}/x`]);
  const away = () => "http://user:secret@127.0.0.1:1";
  await expect(clientOf(url, { proxyFor: away }).get("/")).rejects.toThrow(
    /^(?!.*secret).*through the proxy http:\/\/127\.0\.0\.1:1:/,
  );
});

/** A forward proxy that also connects. */
async function startProxy() {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const answer = await fetch(request.url ?? "");
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(await answer.text());
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  disposals.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, asked };
}
