import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { readSocket, socketUrl } from "../support/log-socket.ts";
import { chunksOf, frame, storedLog } from "../support/stored-log.ts";

test("the state comes first, also where the log is known from a reader before", async () => {
  await using app = await startTestApp({ roles: { api: true, worker: false } });
  const job = await storedLog(app, chunksOf([frame("stdout", "one\n")], 1));
  const url = socketUrl(job.executionUrl, "?format=json&status=true");

  const first = await readSocket(url);
  const second = await readSocket(url);

  expect(JSON.parse(first.messages[0] ?? "")).toHaveProperty("status");
  expect(JSON.parse(second.messages[0] ?? "")).toHaveProperty("status");
  expect(JSON.parse(second.messages[1] ?? "")).toMatchObject({ seq: 1, data: "one\n" });
});
