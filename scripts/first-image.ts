/*
 * The image of the first job: `pull` has it from its registry unless it is there already, and
 * exits with 1 where that fails; `make` imports it from the static busybox.
 */
import Docker from "dockerode";
import { endOf, importBusybox } from "../test/support/image.ts";

const IMAGE = "busybox:latest";
const PULL_LIMIT_MS = 20_000;

for (const key of Object.keys(process.env)) if (key.startsWith("DOCKER_")) delete process.env[key];
const docker = new Docker({ socketPath: "/var/run/docker.sock" });

if (process.argv[2] === "make") {
  console.log(`Making the image ${IMAGE} from the static busybox, since no registry gives it.`);
  await importBusybox(docker);
} else if (!(await isPresent())) {
  console.log(`Pulling the image ${IMAGE}, for ${PULL_LIMIT_MS / 1_000} s at most.`);
  process.exit((await pull()) ? 0 : 1);
}
process.exit(0);

async function isPresent(): Promise<boolean> {
  return await docker
    .getImage(IMAGE)
    .inspect()
    .then(() => true)
    .catch(() => false);
}

async function pull(): Promise<boolean> {
  const tooLate = Bun.sleep(PULL_LIMIT_MS).then(() => false);
  const pulled = docker.pull(IMAGE).then(endOf).then(isPresent);
  return await Promise.race([pulled.catch(() => false), tooLate]);
}
