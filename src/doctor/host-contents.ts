import { bytesWords } from "../core/amounts.ts";
import type { EngineLook } from "../farm/engine-look.ts";
import { executionIdOf, INSTALLATION_LABEL, isMadeUnder } from "../farm/labels.ts";
import { unknownExecutions } from "../store/farm-facts.ts";
import { countText } from "./amounts.ts";
import type { Database } from "./database.ts";
import type { Tell } from "./finding.ts";

/** What takes up room on a host. The engine does not tell how much is left; a canary may. */
export async function checkDiskUse(tell: Tell, engine: EngineLook): Promise<void> {
  const use = await engine.diskUse().catch(() => null);
  if (use === null) {
    tell.ok("what takes up room there the engine could not tell in time");
    return;
  }
  tell.ok(
    `images take up ${bytesWords(use.images)}, containers ${bytesWords(use.containers)}, volumes ` +
      `${bytesWords(use.volumes)}, the build cache ${bytesWords(use.buildCache)}`,
  );
}

export interface ContentsDeps {
  name: string;
  database: Database | null;
  installation: string | null;
}

/** Whose containers are there, as far as some fastlane made them. */
export async function checkContainers(
  tell: Tell,
  engine: EngineLook,
  { name, database, installation }: ContentsDeps,
): Promise<void> {
  const all = await engine.labelsOfContainers(INSTALLATION_LABEL);
  const isOurs = (labels: Record<string, string>) => labels[INSTALLATION_LABEL] === installation;
  const ours = all.filter((labels) => isOurs(labels) && isMadeUnder(name, labels));
  const others = all.filter((labels) => !isOurs(labels));
  if (others.length > 0) {
    const whose = installation === null ? "some fastlane" : "other fastlanes";
    tell.ok(`${countText(others.length, "container")} of ${whose} ${are(others.length)} there`);
  }
  if (ours.length === 0 || database === null) return;
  const ids = ours.flatMap((labels) => executionIdOf(labels) ?? []);
  const unknown = await unknownExecutions(database.store.sql, ids).catch(() => []);
  const strays = unknown.length + ours.length - ids.length;
  tell.ok(`${countText(ours.length, "container")} of ours ${are(ours.length)} there`);
  if (strays === 0) return;
  tell.ok(`${strays} of them ${are(strays)} of no execution: the host's node takes them away`);
}

const are = (count: number) => (count === 1 ? "is" : "are");
