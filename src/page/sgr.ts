/** A colour of the palette of 256 by its number, one of 24 bits as `#rrggbb`, or the default. */
export type Colour = number | `#${string}` | null;

export interface Style {
  readonly foreground: Colour;
  readonly background: Colour;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
}

export const PLAIN: Style = {
  foreground: null,
  background: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
};

const SWITCHES: Record<number, Partial<Style>> = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  39: { foreground: null },
  49: { background: null },
};
const WITH_COLOUR: Record<number, "foreground" | "background" | "ignored"> = {
  38: "foreground",
  48: "background",
  // The colour of underlines: its numbers must not be taken for switches.
  58: "ignored",
};

/**
 * The style behind "select graphic rendition". What is not known (blinking, fonts, hidden text) is
 * passed over.
 *
 * @param parameters Between `ESC [` and `m`: digits, `;` and `:`.
 */
export function applySgr(style: Style, parameters: string): Style {
  const fields = parameters.split(";");
  let next = style;
  for (let index = 0; index < fields.length; index++) {
    const [code = 0, ...details] = (fields[index] ?? "").split(":").map(Number);
    const place = WITH_COLOUR[code];
    if (place === undefined) {
      // `4:0` ends an underline, `4:3` is a curly one.
      if (code === 4 && details[0] === 0) next = { ...next, underline: false };
      else next = { ...next, ...(SWITCHES[code] ?? ofSixteen(code)) };
      continue;
    }
    const hasColons = details.length > 0;
    const numbers = hasColons ? details : fields.slice(index + 1, index + 5).map(Number);
    const { colour, length } = colourOf(numbers, hasColons);
    if (!hasColons) index += length;
    if (colour !== null && place !== "ignored") next = { ...next, [place]: colour };
  }
  return isPlain(next) ? PLAIN : next;
}

function ofSixteen(code: number): Partial<Style> {
  if (code >= 30 && code <= 37) return { foreground: code - 30 };
  if (code >= 40 && code <= 47) return { background: code - 40 };
  if (code >= 90 && code <= 97) return { foreground: code - 90 + 8 };
  if (code >= 100 && code <= 107) return { background: code - 100 + 8 };
  return {};
}

/** `5;N` or `2;R;G;B`; with colons there may be the number of a colour space before the three. */
function colourOf(numbers: number[], hasColons: boolean): { colour: Colour; length: number } {
  const [kind, ...rest] = numbers;
  if (kind === 5) {
    const [number = -1] = rest;
    return { colour: isByte(number) ? number : null, length: 2 };
  }
  if (kind !== 2) return { colour: null, length: 1 };
  const channels = hasColons && rest.length > 3 ? rest.slice(1, 4) : rest.slice(0, 3);
  const isWhole = channels.length === 3 && channels.every(isByte);
  return { colour: isWhole ? hexOf(channels) : null, length: 4 };
}

const isByte = (number: number) => Number.isInteger(number) && number >= 0 && number <= 255;

export function hexOf(channels: readonly number[]): `#${string}` {
  return `#${channels.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

function isPlain({ foreground, background, ...flags }: Style): boolean {
  return foreground === null && background === null && !Object.values(flags).includes(true);
}
