import type { ServerWebSocket } from "bun";
import type { ExecutionStatus, Frame, GapFrame, LogFrame } from "../../../src/page/frames.ts";

/** A server of a page whose log is made up: what no container can be made to write, or not as soon. */
export interface ScriptedLog extends AsyncDisposable {
  /** In place of the service's own, with the same paths. */
  url: string;
  /** What the sockets asked for, the newest last. */
  asked: { path: string; after: number | null }[];
  write(...frames: (LogFrame | GapFrame)[]): void;
  /** Keys given go over what was told before. */
  tell(status: Partial<ExecutionStatus>): void;
  /** Ends the log: sockets that have all of it are closed as done. */
  end(): void;
  /** Breaks off all sockets; while it is away, everything is refused so. */
  goAway(status?: number): void;
  comeBack(): void;
}

interface Reader {
  next: number;
  isDone: boolean;
}

const FRAMES_AT_ONCE = 2_000;

interface ScriptedLogOptions {
  /** Any that is free when absent. */
  port?: number;
  /** A path that stands before the service's own, as behind some proxies. */
  prefix?: string;
}

/** @param appUrl The service that everything but sockets is passed on to. */
export function startScriptedLog(
  appUrl: string,
  executionId: string,
  { port = 0, prefix = "" }: ScriptedLogOptions = {},
): ScriptedLog {
  const frames: (LogFrame | GapFrame)[] = [];
  const sockets = new Set<ServerWebSocket<Reader>>();
  const asked: ScriptedLog["asked"] = [];
  let isEnded = false;
  let refusal: number | null = null;
  let status: ExecutionStatus = { ...ENQUEUED, executionId };

  const send = (socket: ServerWebSocket<Reader>) => {
    const { data } = socket;
    while (data.next < frames.length) {
      const batch: Frame[] = frames.slice(data.next, data.next + FRAMES_AT_ONCE);
      data.next += batch.length;
      // Full: it goes on when the other end has read.
      if (socket.send(JSON.stringify(batch)) < 0) return;
    }
    if (isEnded && !data.isDone) {
      data.isDone = true;
      socket.close(1000, "done");
    }
  };
  const server = Bun.serve<Reader>({
    hostname: "127.0.0.1",
    port,
    fetch(request, bun) {
      const { pathname, searchParams } = new URL(request.url);
      if (refusal !== null) return new Response("away", { status: refusal });
      if (!pathname.startsWith(prefix)) return new Response("elsewhere", { status: 404 });
      if (!/\/ws\/?$/.test(pathname))
        return passOn(appUrl + pathname.slice(prefix.length), request);
      const text = searchParams.get("after");
      const after = text === null ? null : Number(text);
      asked.push({ path: pathname, after });
      const next = after === null ? 0 : frames.findIndex(({ seq }) => seq > after);
      const data = { next: next < 0 ? frames.length : next, isDone: false };
      return bun.upgrade(request, { data })
        ? undefined
        : new Response("no socket", { status: 400 });
    },
    websocket: {
      open(socket) {
        sockets.add(socket);
        socket.send(JSON.stringify([{ status }]));
        send(socket);
      },
      drain: send,
      message() {},
      close(socket) {
        sockets.delete(socket);
      },
    },
  });
  const each = (act: (socket: ServerWebSocket<Reader>) => void) => [...sockets].forEach(act);
  return {
    url: `http://127.0.0.1:${server.port}`,
    asked,
    write(...added) {
      for (const frame of added) frames.push(frame);
      each(send);
    },
    tell(change) {
      status = { ...status, ...change };
      each((socket) => void socket.send(JSON.stringify([{ status }])));
    },
    end() {
      isEnded = true;
      each(send);
    },
    goAway(status = 503) {
      refusal = status;
      each((socket) => socket.terminate());
    },
    comeBack() {
      refusal = null;
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

const ENQUEUED: Omit<ExecutionStatus, "executionId"> = {
  status: "enqueued",
  exitCode: null,
  failureCause: null,
  message: null,
  createdAt: new Date().toISOString(),
  startedAt: null,
  finishedAt: null,
  logState: null,
  logBytes: null,
  logLines: null,
};

async function passOn(url: string, request: Request): Promise<Response> {
  const { search } = new URL(request.url);
  const { method, headers } = request;
  const body = method === "POST" ? await request.text() : null;
  const answer = await fetch(`${url}${search}`, {
    method,
    headers,
    body,
    redirect: "manual",
    decompress: false,
  });
  return new Response(answer.body, answer);
}

/** Frames of lines, one after the other. */
export function framesOf(lines: readonly string[], options: Partial<LogFrame> = {}): LogFrame[] {
  const { seq = 1, stream = "stdout", at = "2026-11-24T15:00:00.000Z" } = options;
  return lines.map((data, index) => ({ seq: seq + index, stream, at, data }));
}
