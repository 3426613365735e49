import { expect, test } from "bun:test";
import { pullImage } from "../../src/farm/pull.ts";
import { testEngine } from "../support/engine.ts";
import { pushAbsentImage, startFaultRegistry } from "../support/fault-registry.ts";

test("a pull that makes no progress is given up as the registry's fault", async () => {
  const engine = await testEngine();
  await using registry = await startFaultRegistry(engine);
  const { image } = await pushAbsentImage(engine.docker, registry);
  const held = registry.hold(/^GET .*\/blobs\/.* \d{6,}$/);
  const { signal } = new AbortController();
  const lines: string[] = [];
  const onProgress = (frames: { data: Uint8Array }[]) =>
    void lines.push(...frames.map(({ data }) => new TextDecoder().decode(data)));

  const request = { image: `${image}:latest`, login: null, signal, onProgress };
  const pulled = pullImage(engine.docker, "h", request, 1_000).catch((error: unknown) => error);
  await held;

  const message = `The registry of "${image}:latest" made no progress for 1 s`;
  expect(await pulled).toMatchObject({ failure: "registry_busy", message });
  expect(lines.at(-1)).toBe(`Failed: ${message}\n`);
});
