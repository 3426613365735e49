import { expect, test } from "bun:test";
import { hostsNamed } from "../../src/http/named-hosts.ts";

const HOSTS = [
  "unix:///var/run/docker.sock",
  "tcp://10.0.0.7:2375",
  "https://10.0.0.7:2376",
  "tcp://[fd00::7]:2375",
  "ssh://deploy@10.0.0.9",
  "swarm+tcp://10.0.0.8:2377",
  "swarm+unix:///run/swarm.sock",
  "swarm+tcp://10.0.0.7:2375",
];
const pools = [{ match: "", hosts: HOSTS, maxRunning: 1 }];

test.each([
  ["unix:///var/run/docker.sock", ["unix:///var/run/docker.sock"]],
  ["tcp://10.0.0.7:2375", ["tcp://10.0.0.7:2375"]],
  ["10.0.0.7:2376", ["https://10.0.0.7:2376"]],
  ["10.0.0.7:2375", ["tcp://10.0.0.7:2375", "swarm+tcp://10.0.0.7:2375"]],
  ["[fd00::7]:2375", ["tcp://[fd00::7]:2375"]],
  ["tcp://10.0.0.8:2377", ["swarm+tcp://10.0.0.8:2377"]],
  ["unix:///run/swarm.sock", ["swarm+unix:///run/swarm.sock"]],
  ["swarm+tcp://10.0.0.7:2375", ["swarm+tcp://10.0.0.7:2375"]],
  ["10.0.0.9", []],
])("%s names %j", (text, names) => {
  expect(hostsNamed(pools, text)).toEqual(names);
});
