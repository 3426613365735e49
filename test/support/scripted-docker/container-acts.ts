import { setTimeout as delay } from "node:timers/promises";
import { type Act, type Asked, filterOf, hasLabels, onContainer, refuse } from "./acts.ts";
import { type ContainerBody, frameOf, logFrameOf, type ScriptedContainer } from "./container.ts";
import { imageName } from "./engine.ts";

const STOP_SECONDS = 10;

export const create: Act = ({ engine, request, reply }) => {
  const name = request.query.get("name") ?? crypto.randomUUID();
  const body = request.body as ContainerBody;
  const taken = engine.find(name);
  if (taken !== null) {
    const words = `The container name "/${name}" is already in use by container "${taken.id}"`;
    return refuse(reply, 409, `Conflict. ${words}.`);
  }
  if (!engine.images.has(imageName(body.Image))) {
    return refuse(reply, 404, `No such image: ${imageName(body.Image)}`);
  }
  return reply.json(201, { Id: engine.create(name, body).id, Warnings: [] });
};

export const start = onContainer(({ engine, container, reply }) => {
  if (container.status === "running") return reply.empty(304);
  const complaint = engine.start(container);
  if (complaint === null) return reply.empty(204);
  return refuse(reply, 400, `failed to create shim task: ${complaint}`);
});

/** As process 1 of a container, a program is not ended by SIGTERM; so each stop takes its time. */
export const stop = onContainer(async ({ container, request, reply }) => {
  if (container.status !== "running") return reply.empty(304);
  const ended = untilEnded(container);
  await Promise.race([ended, delay(Number(request.query.get("t") ?? STOP_SECONDS) * 1_000)]);
  container.kill();
  await ended;
  return reply.empty(204);
});

export const kill = onContainer(async ({ container, reply }) => {
  if (container.status !== "running") {
    return refuse(reply, 409, `Cannot kill container: ${container.id} is not running`);
  }
  const ended = untilEnded(container);
  container.kill();
  await ended;
  return reply.empty(204);
});

/** One that has not been started counts as ended, as for an engine, unless the next exit is meant. */
export const wait = onContainer(async ({ container, request, reply }) => {
  const isNext = request.query.get("condition") === "next-exit";
  if (container.status === "running" || isNext) await untilEnded(container);
  reply.json(200, { StatusCode: container.exitCode, Error: null });
});

export const inspect = onContainer(({ container, reply }) => reply.json(200, container.inspect()));

/** The output from now on. */
export const attach = onContainer(({ container, request: { query }, reply }) => {
  const output = reply.hijack();
  const stopListening = container.listen({
    onOutput(stream, text) {
      if (isTrue(query.get(stream))) output.write(frameOf(stream, text));
    },
    onEnd: output.end,
  });
  output.onClose(stopListening);
});

export const logs = onContainer(({ container, request: { query }, reply }) => {
  const output = reply.stream("application/vnd.docker.raw-stream");
  const write = (line: Parameters<typeof logFrameOf>[0]) => {
    if (isTrue(query.get(line.stream))) {
      output.write(logFrameOf(line, isTrue(query.get("timestamps"))));
    }
  };
  for (const line of container.lines(microsOf(query.get("since")))) write(line);
  if (!isTrue(query.get("follow")) || container.status === "exited") return output.end();
  return output.onClose(container.listen({ onLine: write, onEnd: output.end }));
});

export const remove = onContainer(async ({ engine, container, request, reply }) => {
  if (container.status === "running" && !isTrue(request.query.get("force"))) {
    const words = "Stop the container before attempting removal or force remove";
    return refuse(reply, 409, `You cannot remove a running container ${container.id}. ${words}`);
  }
  await engine.remove(container);
  return reply.empty(204);
});

export function list({ engine, request, reply }: Asked): void {
  const isAll = isTrue(request.query.get("all"));
  const labels = filterOf(request, "label");
  const found = engine.containers.filter(
    (container) => (isAll || container.status === "running") && hasLabels(container, labels),
  );
  reply.json(
    200,
    found.map((container) => container.summary()),
  );
}

function untilEnded(container: ScriptedContainer): Promise<void> {
  return new Promise((resolve) => container.listen({ onEnd: resolve }));
}

const isTrue = (text: string | null) => text === "1" || text === "true";

/** `seconds.nanoseconds`, as it comes in `since`. */
function microsOf(since: string | null): number {
  const [seconds = "0", nanos = "0"] = (since ?? "0").split(".");
  return Number(seconds) * 1e6 + Math.floor(Number(nanos.padEnd(9, "0")) / 1_000);
}
