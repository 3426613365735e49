export interface Frame {
  seq: number;
  stream: "stdout" | "stderr" | "pull";
  at: string;
  data: string;
}

export interface LogSocket extends Disposable {
  /** What has come so far, message by message. */
  messages: string[];
  opened: Promise<void>;
  /** How it was closed: code and reason. */
  closed: Promise<[number, string]>;
  /** Resolves when what has come is as wanted. */
  until(isAsWanted: (messages: readonly string[]) => boolean): Promise<void>;
}

/** The URL of a socket behind that of a job or an execution. */
export function socketUrl(url: string, query = ""): string {
  return `${url.replace(/^http/, "ws").replace(/\/*$/, "")}/ws/${query}`;
}

export function openSocket(url: string, headers: Record<string, string> = {}): LogSocket {
  const socket = new WebSocket(url, { headers });
  const messages: string[] = [];
  const waiting = new Set<() => void>();
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<[number, string]>();
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => {
    messages.push(String(data));
    for (const look of waiting) look();
  };
  socket.onclose = ({ code, reason }) => {
    opened.reject(new Error(`the socket was closed with ${code} ${reason}`));
    closed.resolve([code, reason]);
  };
  opened.promise.catch(() => {});
  return {
    messages,
    opened: opened.promise,
    closed: closed.promise,
    async until(isAsWanted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        if (isAsWanted(messages)) resolve();
      };
      waiting.add(look);
      look();
      const early = closed.promise.then(([code, reason]) => {
        if (!isAsWanted(messages)) throw new Error(`closed with ${code} ${reason} before that`);
      });
      await Promise.race([promise, early]);
      waiting.delete(look);
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

/** Everything that a socket gives until it is closed. */
export async function readSocket(
  url: string,
): Promise<{ messages: string[]; closed: [number, string] }> {
  const { messages, closed } = openSocket(url);
  return { messages, closed: await closed };
}

export const framesOf = (messages: readonly string[]): Frame[] =>
  messages.map((message) => JSON.parse(message));

export const textOf = (frames: readonly Frame[], stream: Frame["stream"] = "stdout"): string =>
  frames.flatMap((frame) => (frame.stream === stream ? [frame.data] : [])).join("");
