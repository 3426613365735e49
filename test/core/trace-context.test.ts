import { expect, test } from "bun:test";
import {
  ownTrace,
  parseTraceparent,
  parseTracestate,
  spanIdOf,
  traceparentOf,
} from "../../src/core/trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

test.each([
  [`00-${TRACE}-${SPAN}-01`, true],
  [`00-${TRACE}-${SPAN}-00`, false],
  // Bits that this version does not know say nothing.
  [`00-${TRACE}-${SPAN}-fe`, false],
  [`00-${TRACE}-${SPAN}-03`, true],
  // A version to come has at least the parts of this one.
  [`01-${TRACE}-${SPAN}-01`, true],
  [`cc-${TRACE}-${SPAN}-01-what-the-future-holds`, true],
])("the traceparent %p is taken, sampled: %p", (text, isSampled) => {
  const taken = parseTraceparent(text);

  expect(taken).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
});

test.each([
  "",
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}-01-`,
  `01-${TRACE}-${SPAN}-01more`,
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-1`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE.slice(1)}-${SPAN}-01`,
  ` 00-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
])("the traceparent %p is none", (text) => {
  expect(parseTraceparent(text)).toBeNull();
});

test.each([
  ["vendor=opaque", "vendor=opaque"],
  [" a=1 ,\tb=2,, ", "a=1,b=2"],
  ["fw529a3039@dt=FfAA/+=;:", null],
  ["1a-_*/@dt=x y", "1a-_*/@dt=x y"],
  ["", null],
  ["A=1", null],
  ["a=", null],
  ["a", null],
  ["a=1,a=2", null],
  ["a=ü", null],
  [Array.from({ length: 32 }, (_, at) => `k${at}=1`).join(","), "as it is"],
  [Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(","), null],
  [`a=${"1".repeat(256)},b=${"1".repeat(256)}`, null],
])("of the tracestate %p is taken %p", (text, taken) => {
  expect(parseTracestate(text)).toBe(taken === "as it is" ? text : taken);
});

test("an own trace has the id of what it is of, and its spans are the same on every node", () => {
  const id = "36e1b166-5a02-4c1f-8e0a-0b1c2d3e4f50";

  const trace = ownTrace(id, true);

  expect(parseTraceparent(traceparentOf(trace))).toEqual(trace);
  expect(trace.traceId).toBe("36e1b1665a024c1f8e0a0b1c2d3e4f50");
  expect(trace.spanId).toBe(spanIdOf(id, "execution"));
  expect(spanIdOf(id, "run")).not.toBe(trace.spanId);
});
