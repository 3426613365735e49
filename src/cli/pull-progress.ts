const UNFINISHED =
  /^(?:Pulling fs layer|Waiting|Downloading|Verifying|Download complete|Extracting)/;

/** What the lines of a pull come to, as one. */
export function createPullProgress(): (line: string) => string {
  const layers = new Map<string, boolean>();
  return (line) => {
    const [, id, status = ""] = /^([\da-f]{12}): (.*)$/.exec(line) ?? [];
    if (id === undefined) return line;
    layers.set(id, !UNFINISHED.test(status));
    const done = [...layers.values()].filter((isDone) => isDone).length;
    return `Pulling: ${done} of ${layers.size} layers; ${line}`;
  };
}
