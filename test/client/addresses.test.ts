import { expect, test } from "bun:test";
import { proxyFor } from "../../src/client/proxy.ts";
import { parseServerUrl, urlBehind } from "../../src/client/server-url.ts";

test.each([
  ["http://127.0.0.1:10000", "http://127.0.0.1:10000", null],
  ["https://gate.example/fastlane/", "https://gate.example/fastlane", null],
  ["https://gate.example:443", "https://gate.example", null],
  ["http://ops:p%40ss@gate.example/", "http://gate.example", { user: "ops", password: "p@ss" }],
  ["http://[::1]:10000/?a=b#c", "http://[::1]:10000", null],
])("%j is the server %j", (text, url, login) => {
  expect(parseServerUrl(text)).toEqual({ url, login });
});

test.each(["", "gate.example", "localhost:10000", "ftp://gate.example", "ops:secret@gate"])(
  "%j is no server, and the error does not repeat it",
  (text) => {
    expect(() => parseServerUrl(text)).toThrow(/^(?!.*secret).*must be one such as/);
  },
);

test.each([
  ["http://h:1", "/tasks/", "http://h:1/tasks/"],
  ["http://h:1", "http://elsewhere/tasks/a/?page=2", "http://h:1/tasks/a/?page=2"],
  ["http://h:1", "https://gate.example/fastlane/tasks/a", "http://h:1/tasks/a"],
  ["https://gate.example/f", "https://gate.example/f/tasks/a", "https://gate.example/f/tasks/a"],
  [
    "https://gate.example/f",
    "http://10.0.0.7:10000/tasks/tasks",
    "https://gate.example/f/tasks/tasks",
  ],
  ["https://gate.example/tasks", "http://gate/tasks/tasks/a", "https://gate.example/tasks/tasks/a"],
])("behind %s, %s is %s", (server, target, url) => {
  expect(urlBehind(server, target).href).toBe(url);
});

const PROXY = "http://proxy.example:3128";

test.each([
  ["http://gate.example", { HTTP_PROXY: PROXY }, PROXY],
  ["http://gate.example", { http_proxy: "proxy.example:3128" }, PROXY],
  ["https://gate.example", { HTTP_PROXY: PROXY }, null],
  ["https://gate.example", { ALL_PROXY: PROXY }, PROXY],
  ["https://gate.example", { HTTPS_PROXY: "" }, null],
  ["http://127.0.0.1:10000", { HTTP_PROXY: PROXY }, null],
  ["http://localhost:10000", { HTTP_PROXY: PROXY }, null],
  ["http://[::1]:10000", { HTTP_PROXY: PROXY }, null],
])("%s with %j goes through %s", (url, environment, proxy) => {
  expect(proxyFor(new URL(url), environment)).toBe(proxy);
});

test.each([
  ["*", "gate.example", true],
  ["gate.example", "gate.example", true],
  ["gate.example", "a.gate.example", true],
  ["gate.example", "othergate.example", false],
  [".gate.example", "a.gate.example", true],
  [".gate.example", "gate.example", false],
  ["*.gate.example", "a.gate.example", true],
  ["other.example, GATE.example", "gate.example", true],
  ["gate.example:8080", "gate.example:8080", true],
  ["gate.example:8080", "gate.example:9090", false],
  ["10.0.0.0/8", "10.1.2.3", true],
  ["10.0.0.0/8", "11.1.2.3", false],
  ["10.1.2.3", "10.1.2.3", true],
  ["fd00::/8", "[fd00::7]", true],
  ["fd00::7", "[fd00::7]", true],
  ["nonsense/99", "gate.example", false],
])("NO_PROXY=%s excepts http://%s: %p", (exceptions, host, isExcepted) => {
  const environment = { HTTP_PROXY: PROXY, NO_PROXY: exceptions };

  expect(proxyFor(new URL(`http://${host}`), environment)).toBe(isExcepted ? null : PROXY);
});
