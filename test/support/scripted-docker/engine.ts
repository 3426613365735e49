import { type ContainerBody, nowMs, ScriptedContainer } from "./container.ts";

/** Docker's own rule for a name: so an engine finds `busybox` by `docker.io/library/busybox:latest`. */
export function imageName(text: string): string {
  const short = text.replace(/^docker\.io\//, "").replace(/^library\//, "");
  return /@|:[^/]*$/.test(short) ? short : `${short}:latest`;
}

export interface EngineEvent {
  Action: string;
  container: ScriptedContainer;
  attributes: Record<string, string>;
}

/** What one engine has: containers, images, and those who listen to its events. */
export class ScriptedEngine {
  readonly images = new Set([imageName("busybox")]);
  /** When containers were started, by name; it outlives them, to show what ran twice. */
  readonly starts = new Map<string, number[]>();
  /** The most that ran at once. */
  mostRunning = 0;
  readonly #containers = new Map<string, ScriptedContainer>();
  readonly #names = new Map<string, ScriptedContainer>();
  readonly #heard = new Set<(event: EngineEvent) => void>();

  get containers(): ScriptedContainer[] {
    return [...this.#containers.values()];
  }

  get running(): number {
    return this.containers.filter(({ status }) => status === "running").length;
  }

  addImage(name: string): void {
    this.images.add(imageName(name));
  }

  find(idOrName: string): ScriptedContainer | null {
    return this.#containers.get(idOrName) ?? this.#names.get(idOrName) ?? null;
  }

  create(name: string, body: ContainerBody): ScriptedContainer {
    const container = new ScriptedContainer(name, body);
    this.#containers.set(container.id, container);
    this.#names.set(name, container);
    this.#tell("create", container);
    return container;
  }

  /** @returns The complaint of one that could not be started. */
  start(container: ScriptedContainer): string | null {
    const complaint = container.start();
    if (complaint !== null) return complaint;
    this.starts.set(container.name, [...(this.starts.get(container.name) ?? []), nowMs()]);
    this.mostRunning = Math.max(this.mostRunning, this.running);
    container.listen({
      onEnd: () => this.#tell("die", container, { exitCode: String(container.exitCode) }),
    });
    this.#tell("start", container);
    return null;
  }

  async remove(container: ScriptedContainer): Promise<void> {
    if (container.status === "running") {
      const ended = new Promise<void>((resolve) => container.listen({ onEnd: resolve }));
      container.kill();
      await ended;
    }
    this.#containers.delete(container.id);
    this.#names.delete(container.name);
    this.#tell("destroy", container);
  }

  hear(listener: (event: EngineEvent) => void): () => void {
    this.#heard.add(listener);
    return () => this.#heard.delete(listener);
  }

  #tell(action: string, container: ScriptedContainer, more: Record<string, string> = {}): void {
    const { name, body } = container;
    const attributes = { ...body.Labels, image: body.Image, name, ...more };
    for (const listener of this.#heard) listener({ Action: action, container, attributes });
  }
}
