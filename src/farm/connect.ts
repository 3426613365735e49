import { once } from "node:events";
import http, { Agent } from "node:http";
import https from "node:https";
import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { inspect } from "node:util";
import modemRequests from "docker-modem/lib/http.js";
import Docker from "dockerode";
import { messageOf } from "../core/errors.ts";
import type { HostAccess } from "../core/host-access.ts";
import { type Endpoint, parseHostName } from "../core/host-name.ts";
import { HostUnreachable } from "./host.ts";
import { createSshTunnel } from "./ssh-tunnel.ts";
import { openTls } from "./tls-socket.ts";

// docker-modem's own follow a redirect to wherever it leads, past the way to the host that was
// configured, and what goes wrong there nobody can catch: it would end the process.
Object.assign(modemRequests, { http, https });

export interface Connection {
  docker: Docker;
  /** A bare connection to the engine's API. */
  open(): Promise<Duplex>;
  /** Breaks off whatever still goes over it. */
  close(): void;
}

/**
 * dockerode for a host. It is never told of TLS or ssh, which it would take from the environment in
 * part, and ssh without a look at the host's key: it speaks over connections that are made here.
 *
 * @param name A host string of the configuration.
 * @param access Must be there for an https or ssh host.
 */
export function connectEngine(name: string, access: HostAccess | undefined): Connection {
  const endpoint = parseHostName(name);
  if (endpoint === null) throw new Error(`Cannot use host "${name}": it is no Docker endpoint`);
  switch (endpoint.kind) {
    case "unix":
      return {
        docker: new Docker({ socketPath: endpoint.path }),
        open: () => connected(connectSocket(endpoint.path)),
        close: () => {},
      };
    case "tcp":
      return {
        docker: new Docker({ protocol: "http", host: endpoint.name, port: endpoint.port }),
        open: () => connected(connectSocket(endpoint.port, endpoint.name)),
        close: () => {},
      };
    default:
      return connectSecurely(name, endpoint, access);
  }
}

function connectSecurely(
  name: string,
  endpoint: Exclude<Endpoint, { kind: "unix" | "tcp" }>,
  access: HostAccess | undefined,
): Connection {
  if (endpoint.kind === "ssh" && access?.kind === "ssh") {
    const { open, close } = createSshTunnel(endpoint, access);
    return { docker: dockerOver(name, open), open, close };
  }
  if (endpoint.kind !== "ssh" && access?.kind === "https") {
    const open = () => openTls(endpoint.name, endpoint.port, access);
    return { docker: dockerOver(name, open), open, close: () => {} };
  }
  throw new Error(`Cannot use host "${name}": how to reach it is not configured`);
}

async function connected(socket: Socket): Promise<Socket> {
  await once(socket, "connect");
  return socket;
}

/** dockerode over a connection for each call; those that fail say why. */
function dockerOver(name: string, open: () => Promise<Duplex>): Docker {
  const agent = new Agent();
  // docker-modem writes out each request for its debug log, also when nobody reads that: with the
  // agent all open sockets behind it, which takes tens of milliseconds.
  Object.defineProperty(agent, inspect.custom, { value: () => "Agent" });
  agent.createConnection = (_options, done) => {
    open().then(
      (connection) => done?.(null, connection),
      (error: unknown) => {
        const unreachable = new HostUnreachable(`${name}: ${messageOf(error)}`, { cause: error });
        // The types want a connection with an error as well.
        (done as ((error: Error) => void) | undefined)?.(unreachable);
      },
    );
    return undefined;
  };
  // The name is for the Host header alone. The types do not know of `agent`.
  const options: Docker.DockerOptions & { agent: Agent } = {
    protocol: "http",
    host: "docker",
    port: 80,
    agent,
  };
  return new Docker(options);
}
