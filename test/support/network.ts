import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";

const TRIES = 50;
/** Chain and interface option of what comes in and what goes out of an engine's namespace. */
const WAYS = [
  ["INPUT", "--in-interface"],
  ["OUTPUT", "--out-interface"],
];

/** How an engine's way to the others is broken: what is sent is lost, or refused at once. */
export type Breakage = "drop" | "refuse";

export interface Network {
  /** The namespace that has the bridge; the machine is its `.1`. */
  netns: string;
  /** `10.x.y`: the first three bytes of every address. */
  prefix: string;
}

/**
 * A bridge that engines and the machine are on. It has a namespace of its own: the machine's
 * iptables, which Docker makes drop what is forwarded, do not count there, and whoever deletes the
 * namespace takes every link of it away.
 */
export async function makeNetwork(netns: string, folder: string): Promise<Network> {
  ip("netns", "add", netns);
  await writeFile(`${folder}/netns`, netns);
  ip("-n", netns, "link", "add", "bridge", "type", "bridge");
  ip("-n", netns, "link", "set", "bridge", "up");
  const link = linkOf(netns);
  ip("link", "add", link, "type", "veth", "peer", "name", "machine", "netns", netns);
  await writeFile(`${folder}/link`, link);
  ip("-n", netns, "link", "set", "machine", "master", "bridge", "up");
  ip("link", "set", link, "up");
  return { netns, prefix: takeSubnet(link) };
}

/** Puts the namespace of an engine on a network. */
export function joinNetwork(netns: string, network: string, address: string): void {
  const link = linkOf(netns);
  ip("-n", network, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", netns);
  ip("-n", network, "link", "set", link, "master", "bridge", "up");
  ip("-n", netns, "address", "add", `${address}/24`, "dev", "eth0");
  ip("-n", netns, "link", "set", "eth0", "up");
}

/** Breaks the way between an engine and all others, connections that there are as well. */
export function breakNetwork(netns: string, breakage: Breakage): void {
  healNetwork(netns);
  const rule =
    breakage === "drop"
      ? ["--jump", "DROP"]
      : ["--protocol", "tcp", "--jump", "REJECT", "--reject-with", "tcp-reset"];
  const ways = breakage === "drop" ? WAYS : WAYS.slice(0, 1);
  for (const [chain = "", option = ""] of ways)
    iptables(netns, "--insert", chain, option, "eth0", ...rule);
}

/** Undoes `breakNetwork`; the chains are the namespace's own, and dockerd writes others. */
export function healNetwork(netns: string): void {
  for (const [chain = ""] of WAYS) iptables(netns, "--flush", chain);
}

/** A /24 that nothing on this machine uses, on that link. Others may be choosing at the same time. */
function takeSubnet(link: string): string {
  for (let tries = 0; tries < TRIES; tries += 1) {
    // Above what Docker Swarm takes for its own networks.
    const prefix = `10.${randomInt(64, 255)}.${randomInt(0, 256)}`;
    const subnet = `${prefix}.0/24`;
    if (routesAt(subnet) > 0) continue;
    ip("address", "add", `${prefix}.1/24`, "dev", link);
    if (routesAt(subnet) === 1) return prefix;
    ip("address", "flush", "dev", link);
  }
  throw new Error(`Cannot make a network: no free subnet found in ${TRIES} tries`);
}

/** How many routes lead into a subnet or to a part of it, but for the default one. */
function routesAt(subnet: string): number {
  const routes = ["root", "match"].flatMap((how) =>
    ip("-4", "route", "show", how, subnet)
      .split("\n")
      .filter((route) => route !== "" && !route.startsWith("default")),
  );
  return new Set(routes).size;
}

/** Unique within the 15 characters of a link's name, as the folder's last ones are. */
function linkOf(netns: string): string {
  return `fl-${netns.split("-").at(-1)}`;
}

function ip(...words: string[]): string {
  return execFileSync("ip", words, { encoding: "utf8" });
}

function iptables(netns: string, ...words: string[]): void {
  // dockerd writes rules as well, under the same lock.
  const command = [`--net=/run/netns/${netns}`, "iptables", "--wait", ...words];
  execFileSync("nsenter", command);
}
