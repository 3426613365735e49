import { expect } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import type { Store } from "../../src/store/connect.ts";
import type { TestApp } from "../support/app.ts";

export interface RawAnswer {
  status: number;
  /** The status line and the headers, in lower case. */
  head: string;
  body: string;
}

/** Sends bytes as they are: `fetch` would tidy up a path, a Host and a length. */
export async function rawRequest(
  app: TestApp,
  line: string,
  headers: readonly string[] = [],
  body = "",
): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  const host1 = headers.some((header) => /^host:/i.test(header)) ? [] : [`Host: ${host}`];
  const head = [`${line} HTTP/1.1`, ...host1, "Connection: close", ...headers, "", ""];
  socket.on("error", () => {});
  socket.write(head.join("\r\n") + body);
  let text = "";
  socket.on("data", (bytes) => {
    text += String(bytes);
  });
  await once(socket, "close");
  const end = text.indexOf("\r\n\r\n");
  return {
    status: Number(text.split(" ")[1]),
    head: text.slice(0, end).toLowerCase(),
    body: text.slice(end + 4),
  };
}

export async function post(
  app: TestApp,
  path: string,
  body: string | Uint8Array | undefined,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(app.url + path, { method: "POST", headers, ...(body && { body }) });
}

/** The error of an answer, after a check that it has the contract's form and nothing else. */
export async function errorOf(
  response: Response,
  status: number,
): Promise<{ error: string; operation: string; issues?: { path: string; message: string }[] }> {
  const body = await jsonOf(response);
  expect([typeof body.error, typeof body.operation]).toEqual(["string", "string"]);
  expect(Object.keys(body).filter((key) => !/^(error|operation|issues)$/.test(key))).toEqual([]);
  expect(response.status).toBe(status);
  return body;
}

/** The body, of whatever shape. */
export async function jsonOf(response: Response) {
  return JSON.parse(await response.text());
}

/** What is stored of requests: tasks, jobs, executions and the queue's messages. */
export async function countRows({ sql }: Pick<Store, "sql">): Promise<number> {
  const [row] = await sql<{ total: number }[]>`
    SELECT (SELECT count(*) FROM fastlane.tasks) + (SELECT count(*) FROM fastlane.jobs)
      + (SELECT count(*) FROM fastlane.executions)
      + (SELECT count(*) FROM graphile_worker.jobs) AS total`;
  return Number(row?.total);
}
