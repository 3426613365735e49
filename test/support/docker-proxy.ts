import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";

/** A call to the engine's API: "POST /containers/create?name=...". */
type Call = string;

export interface DockerProxy extends AsyncDisposable {
  /** As `dockerHosts` takes it. */
  host: string;
  /** Every call so far. */
  calls: Call[];
  /** The registry logins that came with them, as they were sent. */
  logins: string[];
  /**
   * Stops the next call that fits: before the engine is asked, or when it has answered and the
   * answer has not been passed on.
   *
   * @returns Resolves with the call when it stands still; it does so for ever.
   */
  hold(when: "before" | "after", fits: RegExp): Promise<Call>;
  /** Keeps the engine's answer to the next call that fits until it is released. */
  delay(fits: RegExp): { reached: Promise<void>; release(): void };
  /** Passes the engine's answers to calls that fit on with these keys in them. */
  change(fits: RegExp, keys: Record<string, unknown>): void;
  /** Answers the next calls that fit in the engine's place. */
  answer(fits: RegExp, status: number, message: string, times?: number): void;
  /** Takes back all such answers that have not been given. */
  stopAnswering(): void;
}

interface Hold {
  when: "before" | "after";
  fits: RegExp;
  reached(call: Call): void;
}

/** Stands between fastlane and an engine, to show what a real engine cannot be made to show. */
export async function startDockerProxy(engine: string): Promise<DockerProxy> {
  const socketPath = join(tmpdir(), `fastlane-proxy-${randomUUID()}.sock`);
  const calls: Call[] = [];
  const logins: string[] = [];
  const holds: Hold[] = [];
  const delays: { fits: RegExp; reached(): void; released: Promise<void> }[] = [];
  const changes: { fits: RegExp; keys: Record<string, unknown> }[] = [];
  const answers: { fits: RegExp; status: number; message: string; times: number }[] = [];

  const isHeld = (when: Hold["when"], call: Call) => {
    const position = holds.findIndex((hold) => hold.when === when && hold.fits.test(call));
    const [hold] = position < 0 ? [] : holds.splice(position, 1);
    hold?.reached(call);
    return hold !== undefined;
  };
  const server = createServer((incoming, outgoing) => {
    const call = `${incoming.method} ${incoming.url}`;
    calls.push(call);
    const login = incoming.headers["x-registry-auth"];
    if (typeof login === "string") logins.push(Buffer.from(login, "base64url").toString("utf8"));
    const answer = answers.find(({ fits, times }) => times > 0 && fits.test(call));
    if (answer !== undefined) {
      answer.times -= 1;
      outgoing.writeHead(answer.status, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ message: answer.message }));
      return;
    }
    if (isHeld("before", call)) return;
    const position = delays.findIndex(({ fits }) => fits.test(call));
    const [delay] = position < 0 ? [] : delays.splice(position, 1);
    const change = changes.find(({ fits }) => fits.test(call));
    forward(incoming, outgoing, change?.keys ?? null, async () => {
      delay?.reached();
      await delay?.released;
      return !isHeld("after", call);
    });
  });

  function forward(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    changed: Record<string, unknown> | null,
    mayAnswer: () => Promise<boolean>,
  ) {
    const { method, url, headers } = incoming;
    const forwarded = request(
      {
        socketPath: engine.replace("unix://", ""),
        ...(method === undefined ? {} : { method }),
        ...(url === undefined ? {} : { path: url }),
        headers,
      },
      async (response) => {
        if (!(await mayAnswer())) return;
        if (changed !== null) {
          const whole = (await json(response)) as Record<string, unknown>;
          outgoing.writeHead(response.statusCode ?? 502, { "content-type": "application/json" });
          outgoing.end(JSON.stringify({ ...whole, ...changed }));
          return;
        }
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        outgoing.flushHeaders();
        response.on("error", () => outgoing.destroy());
        response.pipe(outgoing);
      },
    );
    forwarded.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  }

  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    host: `unix://${socketPath}`,
    calls,
    logins,
    hold: (when, fits) =>
      new Promise((resolve) => {
        holds.push({ when, fits, reached: resolve });
      }),
    delay(fits) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      delays.push({ fits, reached: reached.resolve, released: released.promise });
      return { reached: reached.promise, release: released.resolve };
    },
    change: (fits, keys) => {
      changes.push({ fits, keys });
    },
    answer: (fits, status, message, times = 1) => {
      answers.push({ fits, status, message, times });
    },
    stopAnswering: () => {
      answers.length = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await rm(socketPath, { force: true });
    },
  };
}
