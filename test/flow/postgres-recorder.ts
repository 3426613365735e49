import type Docker from "dockerode";
import postgres from "postgres";

/** Counts each start of a container that the engine makes known, by the execution it is for. */
export async function recordStarts(
  docker: Docker,
  installation: string,
): Promise<Disposable & { starts: Map<string, number> }> {
  const starts = new Map<string, number>();
  const filters = { event: ["start"], label: [`fastlane.installation=${installation}`] };
  const stream = await docker.getEvents({ filters });
  let text = "";
  stream.on("data", (bytes: Uint8Array) => {
    text += Buffer.from(bytes).toString("utf8");
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines.filter((each) => each.trim() !== "")) {
      const id = JSON.parse(line).Actor.Attributes["fastlane.execution"];
      starts.set(id, (starts.get(id) ?? 0) + 1);
    }
  });
  stream.on("error", () => {});
  return {
    starts,
    [Symbol.dispose]() {
      if ("destroy" in stream && typeof stream.destroy === "function") stream.destroy();
    },
  };
}

/** The label that the containers of a migrated database carry. */
export async function installationOf(url: string): Promise<string> {
  const sql = postgres(url, { max: 1 });
  try {
    const [row] = await sql<{ id: string }[]>`SELECT id FROM fastlane.installation`;
    return row?.id ?? "";
  } finally {
    await sql.end();
  }
}
