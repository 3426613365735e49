/** Kinds of escape sequences: `osc` ends at BEL too, `string` (DCS, APC, PM, SOS) not. */
export type EscapeKind = "escape" | "csi" | "osc" | "string";

/** What a control character begins. */
export const ESCAPES: Readonly<Record<string, EscapeKind>> = {
  "\u001b": "escape",
  "\u009b": "csi",
  "\u009d": "osc",
  "\u0090": "string",
  "\u0098": "string",
  "\u009e": "string",
  "\u009f": "string",
};

/** What a character behind ESC goes on with; after any other one the sequence is over, or is none. */
export const ESCAPES_GO_ON: Readonly<Record<string, EscapeKind>> = {
  "[": "csi",
  "]": "osc",
  P: "string",
  X: "string",
  "^": "string",
  _: "string",
  "\u001b": "escape",
};
