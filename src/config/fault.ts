/** From table to table to a key, or to an item of a list. */
export type Path = readonly (string | number)[];

/** Something that is wrong with the configuration. */
export interface Fault {
  at: Path;
  /** Goes on behind the key's name. */
  says: string;
  /** Where it is to be seen, when the key itself is not there. */
  seenAt?: Path;
}

const MOST_SHOWN = 100;
const LONGEST_NAME = 60;

/** The configuration cannot be used; the message names everything that is wrong. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** Each a sentence, with the place that it is about before it. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const more = faults.length - MOST_SHOWN;
    const shown = more > 0 ? [...faults.slice(0, MOST_SHOWN), `and ${more} more`] : faults;
    const [first = "", ...others] = shown;
    super(
      others.length === 0
        ? `Cannot start: ${first}`
        : ["Cannot start:", ...shown.map((fault) => `  ${fault}`)].join("\n"),
    );
    this.faults = shown;
  }
}

/** The configuration file cannot be read at all. */
export class UnreadableFile extends ConfigError {}

/** `dockerHosts.0.match`. A name may come from anyone's file: it is made fit to be shown. */
export function nameOf(path: Path): string {
  return path.map((part) => (typeof part === "number" ? part : shown(part))).join(".");
}

function shown(name: string): string {
  const long = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
  return long === "" ? '""' : long.replace(/\p{C}/gu, "\u{fffd}");
}

export function sentenceOf({ at, says }: Fault): string {
  return `${nameOf(at)}${says.startsWith(":") ? "" : " "}${says}`;
}
