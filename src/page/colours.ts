import { type Colour, hexOf, type Style } from "./sgr.ts";

/** A face's own colours: of text, and of the paper where text is hardest to read on it. */
export interface Face {
  ink: `#${string}`;
  paper: `#${string}`;
  /** The 16 colours that terminals leave to their users. */
  palette: readonly `#${string}`[];
}

export const LIGHT: Face = {
  ink: "#23262a",
  paper: "#f4ece8",
  palette: [
    ...([
      "#23262a",
      "#a8322a",
      "#2c6e3f",
      "#7a5a00",
      "#1f5c9a",
      "#86338c",
      "#14696d",
      "#5d636b",
    ] as const),
    ...([
      "#4c525a",
      "#b8281f",
      "#1f7a3d",
      "#7d5f00",
      "#1866b4",
      "#97309e",
      "#0f7075",
      "#3a3f45",
    ] as const),
  ],
};

export const DARK: Face = {
  ink: "#dfe2e5",
  paper: "#2b2426",
  palette: [
    ...([
      "#8b939c",
      "#f08a80",
      "#83cf95",
      "#dfbd6a",
      "#86b8f0",
      "#d69ae0",
      "#74cbd0",
      "#dfe2e5",
    ] as const),
    ...([
      "#a3abb4",
      "#ff9d94",
      "#98e0a8",
      "#eed083",
      "#a0c9f8",
      "#e4b0ec",
      "#8cdde1",
      "#f6f7f8",
    ] as const),
  ],
};

/** WCAG's level AA for text. */
const LEAST_CONTRAST = 4.5;
const DIMMED = 0.35;

/** The colours of a style in a face, as they can be read; `null` where the face's own serve. */
export interface Colours {
  foreground: `#${string}` | null;
  background: `#${string}` | null;
}

export function coloursOf(style: Style, face: Face): Colours {
  const { foreground, background, inverse, dim } = style;
  if (foreground === null && background === null && !inverse && !dim) {
    return { foreground: null, background: null };
  }
  const front = hexIn(face, foreground) ?? face.ink;
  const back = hexIn(face, background);
  const under = inverse ? front : back;
  const wanted = inverse ? (back ?? face.paper) : front;
  const on = under ?? face.paper;
  return {
    foreground: readable(dim ? mixed(wanted, on, DIMMED) : wanted, on),
    background: under,
  };
}

function hexIn({ palette }: Face, colour: Colour): `#${string}` | null {
  if (typeof colour !== "number") return colour;
  return palette[colour] ?? ofCube(colour);
}

/** Numbers 16 to 231 are a cube of 6 levels each, those above are greys. */
function ofCube(number: number): `#${string}` {
  if (number >= 232) return hexOf(Array(3).fill(8 + (number - 232) * 10));
  const place = number - 16;
  const level = (digit: number) => (digit === 0 ? 0 : 55 + digit * 40);
  return hexOf([level(Math.floor(place / 36)), level(Math.floor(place / 6) % 6), level(place % 6)]);
}

/** The nearest to a colour, on the way to black or to white, that can be read. */
function readable(colour: `#${string}`, on: `#${string}`): `#${string}` {
  if (contrast(colour, on) >= LEAST_CONTRAST) return colour;
  const end = contrast("#000000", on) > contrast("#ffffff", on) ? "#000000" : "#ffffff";
  let [near, far] = [0, 1];
  for (let step = 0; step < 6; step++) {
    const middle = (near + far) / 2;
    if (contrast(mixed(colour, end, middle), on) >= LEAST_CONTRAST) far = middle;
    else near = middle;
  }
  return mixed(colour, end, far);
}

/** As WCAG 2 defines it: from 1 to 21. */
export function contrast(one: `#${string}`, other: `#${string}`): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: `#${string}`): number {
  const [red = 0, green = 0, blue = 0] = channelsOf(colour).map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mixed(from: `#${string}`, to: `#${string}`, share: number): `#${string}` {
  const others = channelsOf(to);
  return hexOf(
    channelsOf(from).map((channel, index) =>
      Math.round(channel + ((others[index] ?? 0) - channel) * share),
    ),
  );
}

function channelsOf(colour: `#${string}`): number[] {
  const number = Number.parseInt(colour.slice(1), 16);
  return [number >> 16, (number >> 8) & 0xff, number & 0xff];
}
