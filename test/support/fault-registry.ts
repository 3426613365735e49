import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type Docker from "dockerode";
import { endOf, importBusybox } from "./image.ts";

const CALL_LIMIT_MS = 60_000;

/** A request whose answer has begun and stands still. */
interface Held {
  /** Lets the rest of the answer through. */
  release(): void;
}

/** A registry that only the engine reaches, and that does as a test says; a real one is behind it. */
export interface FaultRegistry extends AsyncDisposable {
  /** As image references name it. */
  name: string;
  /** Another name of it, under which the engine insists on TLS, which it does not speak. */
  untrusted: string;
  /** The real one, to push to. */
  behind: string;
  /** Every request so far: "GET /v2/busybox/manifests/latest". */
  requests: string[];
  /** Answers requests that fit in the real one's place; `null` breaks the connection off. */
  answer(fits: RegExp, status: number | null, body?: string, times?: number): void;
  /**
   * Lets only the first bytes of the next answer through that fits; resolves then. What fits is its
   * request and its length: "GET /v2/busybox/blobs/sha256:1234 567890".
   */
  hold(fits: RegExp): Promise<Held>;
}

/** @param users Name and password of who may pull; anybody may when there are none. */
export async function startFaultRegistry(
  { host }: { host: string },
  users: Record<string, string> = {},
): Promise<FaultRegistry> {
  const netns = await readFile(join(dirname(host.replace("unix://", "")), "netns"), "utf8");
  const folder = await mkdtemp(join(tmpdir(), "fastlane-registry-"));
  await chmod(folder, 0o711);
  const requests: string[] = [];
  const answers: { fits: RegExp; status: number | null; body: string; times: number }[] = [];
  const holds: { fits: RegExp; reached(held: Held): void }[] = [];

  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    const answer = answers.find(({ fits, times }) => times > 0 && fits.test(line));
    if (answer !== undefined) {
      answer.times -= 1;
      if (answer.status === null) return void outgoing.destroy();
      outgoing.writeHead(answer.status, { "content-type": "application/json" });
      return void outgoing.end(answer.body);
    }
    forward(incoming, outgoing, `${folder}/behind.sock`, (bytes) => {
      const position = holds.findIndex(({ fits }) => fits.test(`${line} ${bytes}`));
      const [hold] = position < 0 ? [] : holds.splice(position, 1);
      if (hold === undefined) return null;
      const released = Promise.withResolvers<void>();
      hold.reached({ release: released.resolve });
      return released.promise;
    });
  });
  await new Promise<void>((resolve) => server.listen(`${folder}/server.sock`, resolve));
  const door = await openDoor(netns, folder, users);
  return {
    ...door,
    requests,
    answer: (fits, status, body = "", times = 1_000) => {
      answers.push({ fits, status, body, times });
    },
    hold: (fits) =>
      new Promise((reached) => {
        holds.push({ fits, reached });
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await door[Symbol.asyncDispose]();
    },
  };
}

/** An image with a layer of its own that is in the real registry and not in the engine. */
export async function pushAbsentImage(
  docker: Docker,
  { name, behind }: Pick<FaultRegistry, "name" | "behind">,
  login = { username: "", password: "" },
): Promise<{ image: string; digest: string }> {
  const repo = `image-${crypto.randomUUID()}`;
  const pushed = `${behind}/${repo}`;
  await importBusybox(docker, pushed);
  const image = docker.getImage(`${pushed}:latest`);
  const limit = () => ({ abortSignal: AbortSignal.timeout(CALL_LIMIT_MS) });
  await endOf(await image.push({ authconfig: { ...login, serveraddress: behind }, ...limit() }));
  const { RepoDigests } = await image.inspect();
  await image.remove(limit());
  const [, digest = ""] = RepoDigests[0]?.split("@") ?? [];
  return { image: `${name}/${repo}`, digest };
}

async function openDoor(netns: string, folder: string, users: Record<string, string>) {
  const lines = Object.entries(users).map(
    ([name, password]) =>
      `${name}:${Bun.password.hashSync(password, { algorithm: "bcrypt", cost: 4 })}`,
  );
  const command = [
    `--net=/run/netns/${netns}`,
    process.execPath,
    `${import.meta.dir}/run-registry.ts`,
  ];
  const whole = ["nsenter", ...command, netns, folder, ...lines];
  const [program = "", ...rest] =
    process.getuid?.() === 0 ? whole : ["sudo", "--non-interactive", ...whole];
  const keeper = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"], cwd: "/" });
  const ended = once(keeper, "exit");
  const first = createInterface({ input: keeper.stdout })[Symbol.asyncIterator]().next();
  const { value, done } = await first;
  if (done) throw new Error(`Cannot keep a registry: its keeper ended with ${await ended}`);
  return {
    ...(JSON.parse(value) as { name: string; untrusted: string; behind: string }),
    async [Symbol.asyncDispose]() {
      keeper.stdin.end();
      await ended;
    },
  };
}

/** @param held Asked with the answer's length; what it gives is waited for behind the first bytes. */
function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  socketPath: string,
  held: (bytes: string) => Promise<void> | null,
): void {
  const { method = "GET", url = "/", headers } = incoming;
  const forwarded = request({ socketPath, method, path: url, headers }, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.on("error", () => outgoing.destroy());
    const released = held(response.headers["content-length"] ?? "");
    if (released === null) return void response.pipe(outgoing);
    response.once("data", async (first: Uint8Array) => {
      response.pause();
      outgoing.write(first.subarray(0, 100));
      await released;
      outgoing.write(first.subarray(100));
      response.pipe(outgoing);
    });
  });
  forwarded.on("error", () => outgoing.destroy());
  outgoing.on("close", () => forwarded.destroy());
  incoming.pipe(forwarded);
}
