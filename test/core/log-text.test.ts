import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { NumberedFrame } from "../../src/core/log-frames.ts";
import { LOG_STREAMS, type LogStream } from "../../src/core/log-streams.ts";
import {
  type Carry,
  carryOf,
  decodeFrames,
  type TextFrame,
  textsAtTheEnd,
} from "../../src/core/log-text.ts";

const AT = { seconds: 1_700_000_000, nanos: 123_456_789 };

/** Characters of each length, their parts alone, and bytes that no character has. */
const bytes = fc.oneof(
  fc.constantFrom("a", "\n", "é", "€", "\u{1f600}", "\ufeff").map((text) => Buffer.from(text)),
  fc.constantFrom([0xc3], [0xe2, 0x82], [0xf0, 0x9f], [0xf0, 0x9f, 0x98], [0x80], [0xff], [0xf8]),
);
const frames = fc
  .array(fc.record({ stream: fc.constantFrom(...LOG_STREAMS), data: bytes }), { minLength: 1 })
  .map((list) =>
    list.map(
      ({ stream, data }, index): NumberedFrame => ({
        seq: index + 1,
        at: AT,
        stream,
        data: Uint8Array.from(data),
      }),
    ),
  );

const joined = (texts: readonly TextFrame[], stream: LogStream) =>
  texts.flatMap((text) => (text.stream === stream ? [text.data] : [])).join("");

const wholeText = (list: readonly NumberedFrame[], stream: LogStream) =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    Buffer.concat(list.flatMap((frame) => (frame.stream === stream ? [frame.data] : []))),
  );

const lastOf = (list: readonly NumberedFrame[]): NumberedFrame => {
  const last = list.at(-1);
  if (last === undefined) throw new Error("there is no frame");
  return last;
};

test("wherever frames and blocks part it, the text of a stream is that of its bytes", () => {
  fc.assert(
    fc.property(frames, fc.nat(), (list, cut) => {
      const at = cut % list.length;
      const first = decodeFrames(list.slice(0, at), {});
      const second = decodeFrames(list.slice(at), first.carry);
      const texts = [...first.texts, ...second.texts, ...textsAtTheEnd(lastOf(list), second.carry)];

      for (const stream of LOG_STREAMS) {
        expect(joined(texts, stream)).toBe(wholeText(list, stream));
      }
    }),
  );
});

test("who goes on behind a frame gets what follows it, and nothing twice", () => {
  fc.assert(
    fc.property(frames, fc.nat(), (list, cut) => {
      const all = decodeFrames(list, {});
      const after = cut % (list.length + 1);

      const resumed = decodeFrames(list.slice(after), carryOf(list.slice(0, after)));

      expect(resumed.texts).toEqual(all.texts.filter(({ seq }) => seq > after));
      expect(textsAtTheEnd(lastOf(list), resumed.carry)).toEqual(
        textsAtTheEnd(lastOf(list), all.carry),
      );
    }),
  );
});

test("characters without an end are told under numbers that no frame has", () => {
  const carry: Carry = { stdout: Uint8Array.of(0xc3), pull: Uint8Array.of(0xe2, 0x82) };
  const last: NumberedFrame = { seq: 7, stream: "stdout", at: AT, data: Uint8Array.of(0xc3) };

  const at = "2023-11-14T22:13:20.123Z";
  expect(textsAtTheEnd(last, carry)).toEqual([
    { seq: 8, stream: "stdout", at, data: "\ufffd" },
    { seq: 10, stream: "pull", at, data: "\ufffd" },
  ]);
});
