import { expect, test } from "bun:test";
import { type Endpoint, hostAndPort, parseHostName } from "../../src/core/host-name.ts";

const tcp = (name: string, port: number): Endpoint => ({ kind: "tcp", name, port });
const https = (name: string, port: number): Endpoint => ({ kind: "https", name, port });
const ssh = (user: string, name: string, port: number): Endpoint => ({
  kind: "ssh",
  user,
  name,
  port,
});

test.each<[string, Endpoint, string, number | null]>([
  [
    "unix:///var/run/docker.sock",
    { kind: "unix", path: "/var/run/docker.sock" },
    "unix:///var/run/docker.sock",
    null,
  ],
  ["tcp://10.0.0.7:2375", tcp("10.0.0.7", 2375), "10.0.0.7", 2375],
  ["tcp://[fd00::7]:2375", tcp("fd00::7", 2375), "fd00::7", 2375],
  ["old-style:2375", tcp("old-style", 2375), "old-style", 2375],
  ["[fd00::7]:2375", tcp("fd00::7", 2375), "fd00::7", 2375],
  ["https://10.0.0.8:2376", https("10.0.0.8", 2376), "10.0.0.8", 2376],
  ["https://docker.example", https("docker.example", 2376), "docker.example", 2376],
  ["https://[::ffff:10.0.0.8]:443", https("::ffff:10.0.0.8", 443), "::ffff:10.0.0.8", 443],
  ["ssh://deploy@10.0.0.9", ssh("deploy", "10.0.0.9", 22), "ssh://deploy@10.0.0.9", null],
  ["ssh://a.b-c@host:2222", ssh("a.b-c", "host", 2222), "ssh://a.b-c@host:2222", null],
  ["ssh://deploy@[fd00::9]:22", ssh("deploy", "fd00::9", 22), "ssh://deploy@[fd00::9]:22", null],
])("%s is understood, and shown as host and port", (text, endpoint, host, port) => {
  expect(parseHostName(text)).toEqual(endpoint);
  expect(hostAndPort(text)).toEqual({ host, port });
});

test("a swarm is shown by its manager's name and port", () => {
  expect(hostAndPort("swarm+tcp://10.0.0.7:2375")).toEqual({ host: "10.0.0.7", port: 2375 });
  const local = "swarm+unix:///run/docker.sock";
  expect(hostAndPort(local)).toEqual({ host: local, port: null });
});

test.each([
  [""],
  ["nowhere"],
  ["name:0"],
  ["ftp://a:1"],
  ["unix://relative.sock"],
  ["unix://"],
  ["tcp://10.0.0.7"],
  ["tcp://10.0.0.7:0"],
  ["tcp://10.0.0.7:65536"],
  ["tcp://user@10.0.0.7:2375"],
  ["tcp://fd00::7:2375"],
  ["https://user@10.0.0.8"],
  ["https://10.0.0.8:2376/"],
  ["https://10.0.0.8/path"],
  ["http://10.0.0.8:2375"],
  ["ssh://10.0.0.9"],
  ["ssh://deploy:secret@10.0.0.9"],
  ["ssh://deploy@10.0.0.9/var/run/docker.sock"],
  ["deploy@10.0.0.9:22"],
])("%p is no host", (text) => {
  expect(parseHostName(text)).toBeNull();
});
