import { type Act, type Asked, filterOf, hasLabels, refuse } from "./acts.ts";
import { nowMs } from "./container.ts";
import { type EngineEvent, imageName } from "./engine.ts";

const VERSION = { Version: "20.10.24+scripted", ApiVersion: "1.41", MinAPIVersion: "1.12" };

export function ping({ reply }: Asked): void {
  reply.json(200, "OK", { "Api-Version": VERSION.ApiVersion });
}

export function version({ reply }: Asked): void {
  reply.json(200, VERSION);
}

export function info({ engine, reply }: Asked): void {
  reply.json(200, {
    Name: "scripted",
    ServerVersion: VERSION.Version,
    Driver: "overlay2",
    NCPU: 4,
    MemTotal: 8 * 1024 ** 3,
    Containers: engine.containers.length,
    ContainersRunning: engine.running,
    Images: engine.images.size,
    SystemTime: new Date(nowMs()).toISOString(),
    Swarm: { LocalNodeState: "inactive" },
  });
}

export function events({ engine, request, reply }: Asked): void {
  const actions = filterOf(request, "event");
  const types = filterOf(request, "type");
  const labels = filterOf(request, "label");
  const output = reply.stream("application/json");
  const tell = ({ Action, container, attributes }: EngineEvent, atMs: number) => {
    if (types !== null && !types.includes("container")) return;
    if (actions !== null && !actions.includes(Action)) return;
    if (!hasLabels(container, labels)) return;
    output.write(
      `${JSON.stringify({
        status: Action,
        id: container.id,
        from: container.body.Image,
        Type: "container",
        Action,
        Actor: { ID: container.id, Attributes: attributes },
        scope: "local",
        time: Math.floor(atMs / 1_000),
        timeNano: Math.floor(atMs * 1e6),
      })}\n`,
    );
  };
  if (request.query.has("until")) {
    // What is past: of that only what became of those that are still there is remembered.
    for (const container of engine.containers) {
      const { startedAtMs } = container;
      const attributes = container.body.Labels ?? {};
      tell({ Action: "create", container, attributes }, startedAtMs ?? nowMs());
      if (startedAtMs !== null) tell({ Action: "start", container, attributes }, startedAtMs);
    }
    output.end();
    return;
  }
  output.onClose(engine.hear((event) => tell(event, nowMs())));
}

/** The registry has every image but those in whose name there is `missing`. */
export const pull: Act = ({ engine, request, reply }) => {
  const repository = request.query.get("fromImage") ?? "";
  const tag = request.query.get("tag") ?? "latest";
  const name = imageName(`${repository}${tag.includes(":") ? "@" : ":"}${tag}`);
  if (name.includes("missing")) {
    return refuse(
      reply,
      404,
      `pull access denied for ${repository}, repository does not exist or may require 'docker login'`,
    );
  }
  const progress = reply.stream("application/json");
  progress.write(`${JSON.stringify({ status: `Pulling from ${repository}`, id: tag })}\n`);
  engine.addImage(name);
  progress.write(`${JSON.stringify({ status: `Status: Downloaded newer image for ${name}` })}\n`);
  return progress.end();
};

export function images({ engine, request, reply }: Asked): void {
  const wanted = filterOf(request, "reference")?.map(imageName);
  const found = [...engine.images].filter((name) => wanted?.includes(name) ?? true);
  reply.json(200, found.map(describe));
}

export function image({ engine, name, reply }: Asked): void {
  if (engine.images.has(imageName(name))) reply.json(200, describe(imageName(name)));
  else refuse(reply, 404, `No such image: ${imageName(name)}`);
}

function describe(name: string): unknown {
  const hash = new Bun.CryptoHasher("sha256").update(name).digest("hex");
  const repository = name.replace(/[:@][^/]*$/, "");
  return {
    Id: `sha256:${hash}`,
    RepoTags: name.includes("@") ? [] : [name],
    RepoDigests: [name.includes("@") ? name : `${repository}@sha256:${hash}`],
    Created: 0,
    Size: 1_000_000,
  };
}
