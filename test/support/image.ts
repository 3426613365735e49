import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";

// scripts/lib.sh unpacks one there where the machine has none, or one that is not static.
const UNPACKED = `${import.meta.dir}/../../build/tools/bin/busybox`;
const BUSYBOX = existsSync(UNPACKED) ? UNPACKED : "/bin/busybox";
const IMPORT_LIMIT_MS = 60_000;

/**
 * Makes `busybox:latest` from the machine's static busybox, so that no registry is needed.
 *
 * @param repo Its name in place of `busybox`; another one has a layer that no other image has.
 * @throws {Error} If the machine has no /bin/busybox (Debian: `busybox-static`).
 */
export async function importBusybox(docker: Docker, repo = "busybox"): Promise<void> {
  const answer = await docker.importImage(busyboxTar(repo), {
    repo,
    tag: "latest",
    changes: "CMD sh",
    abortSignal: AbortSignal.timeout(IMPORT_LIMIT_MS),
  });
  await endOf(answer);
  await docker.getImage(`${repo}:latest`).inspect();
}

/** Every container of one installation, running or not. */
export async function containersOf(
  docker: Docker,
  installation: string,
): Promise<Docker.ContainerInfo[]> {
  return await docker.listContainers({
    all: true,
    filters: { label: [`fastlane.installation=${installation}`] },
    abortSignal: AbortSignal.timeout(IMPORT_LIMIT_MS),
  });
}

/**
 * Reads Docker's progress stream to its end.
 *
 * @throws {Error} If the stream reports an error: Docker answers 200 before it knows.
 */
export async function endOf(progress: NodeJS.ReadableStream): Promise<void> {
  let text = "";
  for await (const chunk of progress) text += chunk.toString();
  const failed = text.split("\n").find((line) => line.includes('"error"'));
  if (failed !== undefined) throw new Error(`Cannot move image: ${failed.trim()}`);
}

/** The root folder of the image: busybox, a link for each of its applets, /etc and /tmp. */
function busyboxTar(repo: string): Readable {
  const applets = execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" }).trim().split("\n");
  const tar = pack();
  for (const name of ["bin", "etc", "root"]) tar.entry({ name, type: "directory", mode: 0o755 });
  tar.entry({ name: "tmp", type: "directory", mode: 0o1777 });
  tar.entry({ name: "etc/passwd", mode: 0o644 }, "root:x:0:0:root:/root:/bin/sh\n");
  tar.entry({ name: "etc/group", mode: 0o644 }, "root:x:0:\n");
  if (repo !== "busybox") tar.entry({ name: "etc/image", mode: 0o644 }, repo);
  tar.entry({ name: "bin/busybox", mode: 0o755 }, readFileSync(BUSYBOX));
  for (const applet of applets) {
    if (applet === "busybox") continue;
    tar.entry({ name: `bin/${applet}`, type: "symlink", linkname: "busybox" });
  }
  tar.finalize();
  return Readable.from(tar);
}
