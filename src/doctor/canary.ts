import type { EngineLook } from "../farm/engine-look.ts";
import { EngineRefusal, HostUnreachable } from "../farm/host.ts";
import { probeLabelsOf } from "../farm/labels.ts";
import { timeText } from "./amounts.ts";
import type { Tell } from "./finding.ts";
import { judgeSpace } from "./space.ts";

const SLOW_MS = 10_000;
const LOOK =
  "see the engine's log (journalctl -u docker), and try docker run --rm busybox true there";

/**
 * Whether a container runs there. It has the label of this installation, so that a node takes it away
 * should the doctor be killed.
 */
export async function checkCanary(
  tell: Tell,
  engine: EngineLook,
  { name, installation }: { name: string; installation: string | null },
): Promise<void> {
  if (installation === null) {
    tell.ok("no container was tried there: without the database it is not known whose it would be");
    return;
  }
  try {
    const labels = probeLabelsOf(installation, name);
    const canary = await engine.canary(labels).catch((error: unknown) => {
      // The host's node has looked just then, and taken it for one that was left behind.
      if (isOfOneTakenAway(error)) return engine.canary(labels);
      throw error;
    });
    if (canary.outcome === "no image") {
      tell.ok(
        "no container was tried there: it has no image, and the doctor pulls none",
        "pull one there by docker pull busybox, and ask again",
      );
    } else if (canary.outcome === "refused") {
      tell.warning(`it refuses to run a container: ${canary.words}`, LOOK);
    } else {
      const message = `a container ran there within ${timeText(canary.tookMs)}`;
      if (canary.tookMs < SLOW_MS) tell.ok(message);
      else tell.warning(`${message}, which is slow`, "see how busy its disk and its engine are");
      if (canary.space === null) tell.ok("how much space is left there its images cannot tell");
      else judgeSpace(tell, "where its containers write", canary.space, ROOM);
    }
  } catch (error) {
    if (!(error instanceof HostUnreachable)) throw error;
    const words = error.message.replace(`${name}: `, "");
    tell.problem(`a container does not run there: ${words}`, LOOK);
  }
}

/** 409: it is being removed, and its log cannot be read any more. */
const isOfOneTakenAway = (error: unknown) =>
  error instanceof EngineRefusal && (error.statusCode === 404 || error.statusCode === 409);

const ROOM =
  "make room there: docker system df shows what takes it up, docker image prune -a removes images";
