/*
 * Bears witness of one engine, from inside its network namespace, until standard input ends: what its
 * containers report goes to FOLDER/NAME.ledger, and what the engine tells to FOLDER/NAME.events, each
 * line at once. It has nothing to do with the engine's process, and outlives it.
 */
import { openSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import { LEDGER_PORT } from "./work.ts";

const [folder, name, socketPath = ""] = process.argv.slice(2);
const RECONNECT_AFTER_MS = 50;
/** An engine that is paused takes a connection and answers nothing. */
const ANSWER_WITHIN_MS = 3_000;

for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
process.stdin.on("end", () => process.exit(0)).resume();

const ledger = openSync(`${folder}/${name}.ledger`, "a");
const server = createServer({ allowHalfOpen: true }, (socket) => {
  let text = "";
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  socket.on("data", (bytes) => {
    text += bytes.toString();
    if (!text.endsWith("\n")) return;
    writeSync(ledger, `${Date.now()} ${text}`);
    socket.end("ok\n");
  });
});
server.listen(LEDGER_PORT, "0.0.0.0", () => process.stdout.write("ready\n"));

const events = openSync(`${folder}/${name}.events`, "a");
const seen = new Set<string>();
let since = Math.floor(Date.now() / 1_000);
for (;;) {
  await recordEvents().catch(() => {});
  await delay(RECONNECT_AFTER_MS);
}

/** Ends when the engine does. What is told twice, since it is asked for by the second, is kept once. */
async function recordEvents(): Promise<void> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), ANSWER_WITHIN_MS);
  const stream = (await new Docker({ socketPath }).getEvents({
    since,
    filters: { type: ["container"], label: ["fastlane.execution"] },
    abortSignal: giveUp.signal,
  })) as Readable;
  clearTimeout(timer);
  stream.on("error", () => {});
  for await (const line of createInterface({ input: stream })) {
    if (line === "" || seen.has(line)) continue;
    seen.add(line);
    writeSync(events, `${line}\n`);
    since = Number(JSON.parse(line).time);
  }
}
