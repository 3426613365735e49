import { createHash } from "node:crypto";

/** What a request says of the trace that it belongs to, after W3C Trace Context; always version 00. */
export interface TraceContext {
  /** 32 hexadecimal digits, not all 0. */
  traceId: string;
  /** Of the caller: 16 hexadecimal digits, not all 0. */
  spanId: string;
  /** Whether its spans are told of. */
  isSampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NOTHING = /^0+$/;
const SAMPLED = 1;

const MAX_STATE = 512;
const MAX_MEMBERS = 32;
const KEY = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * A `traceparent`. Of a version to come the parts that version 00 has are taken, as the standard asks.
 *
 * @returns `null` for what is none: it is as if it had not been sent.
 */
export function parseTraceparent(text: string): TraceContext | null {
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (NOTHING.test(traceId) || NOTHING.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** @returns The `tracestate` without empty members; `null` where there is none, or it is malformed. */
export function parseTracestate(text: string): string | null {
  const members = text
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  const pairs = members.map((member) => {
    const at = member.indexOf("=");
    return { key: member.slice(0, at), isRight: at > 0 && VALUE.test(member.slice(at + 1)) };
  });
  const keys = pairs.map(({ key }) => key);
  const isRight =
    pairs.every(({ key, isRight }) => isRight && KEY.test(key)) &&
    new Set(keys).size === keys.length;
  const state = members.join(",");
  const fits = members.length <= MAX_MEMBERS && state.length <= MAX_STATE;
  return isRight && fits && members.length > 0 ? state : null;
}

export function traceparentOf({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/**
 * The id of a span of an execution or a job: the same on every node, so that a child finds its
 * parent, and one that is told of twice is one.
 *
 * @param id A UUID.
 * @param part Which span of it that is: `execution`, `queue:1`.
 */
export function spanIdOf(id: string, part: string): string {
  const digest = createHash("sha256").update(`fastlane span ${id} ${part}`).digest("hex");
  return digest.slice(0, 16);
}

/** The name, in `spanIdOf`, of the span that is all of an execution. */
export const WHOLE = "execution";

/** The trace of what nobody's trace is carried on to: its id is the UUID, which is random too. */
export function ownTrace(id: string, isSampled: boolean): TraceContext {
  return { traceId: id.replaceAll("-", ""), spanId: spanIdOf(id, WHOLE), isSampled };
}
