import { createColors } from "picocolors";

export type Colours = ReturnType<typeof createColors>;
/** Puts a text into a colour, or leaves it as it is. */
export type Paint = (text: string) => string;

export interface ColourWishes {
  isTerminal: boolean;
  environment: Readonly<Record<string, string | undefined>>;
  /** `--no-color` was given. */
  refused: boolean;
}

export function coloursFor(wishes: ColourWishes): Colours {
  return createColors(wantsColours(wishes));
}

/** By no-color.org, and by force-color.org where nobody refuses them. */
export function wantsColours({ isTerminal, environment, refused }: ColourWishes): boolean {
  if (refused || isGiven(environment["NO_COLOR"])) return false;
  const forced = environment["FORCE_COLOR"];
  if (isGiven(forced)) return forced !== "0" && forced !== "false";
  return isTerminal && environment["TERM"] !== "dumb";
}

const isGiven = (value: string | undefined) => value !== undefined && value !== "";
