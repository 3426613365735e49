import { expect, test } from "bun:test";
import { areKeys, createKeyring, newKeyLine } from "../../src/core/keyring.ts";

const [OLD, NEW] = [newKeyLine(), newKeyLine()];

test("what is sealed opens by the same key and for the same thing alone", () => {
  const keyring = createKeyring(OLD);
  const sealed = keyring.seal("wörd", "job 1");
  const changed = sealed.slice(0, -1) + (sealed.endsWith("A") ? "Q" : "A");

  expect(keyring.open(sealed, "job 1")).toBe("wörd");
  expect(keyring.seal("wörd", "job 1")).not.toBe(sealed);
  for (const wrong of [sealed, changed, "v1.x.y", "", sealed.slice(0, 30)]) {
    expect(() => keyring.open(wrong, "job 2")).toThrow(/it (is sealed by key|was changed)/);
  }
  expect(() => keyring.open(changed, "job 1")).toThrow("it was changed, or is another's");
  expect(() => createKeyring(NEW).open(sealed, "job 1")).toThrow("it is sealed by key");
});

test("of several keys the first seals and all of them open", () => {
  const [before, between, after] = [OLD, NEW + OLD, NEW].map(createKeyring);
  const [early, late] = [before?.seal("early", "a"), between?.seal("late", "a")];

  expect(between?.open(early ?? "", "a")).toBe("early");
  expect(after?.open(late ?? "", "a")).toBe("late");
  expect(() => after?.open(early ?? "", "a")).toThrow("it is sealed by key");
  expect(between?.checks).toEqual([after?.check ?? "", before?.check ?? ""]);
  expect(between?.digests("x")).toContainEqual(before?.digest("x") ?? Buffer.of());
});

test.each([
  ["a key", OLD, true],
  ["two keys with room around", `${OLD}\n  ${NEW}`, true],
  ["nothing", "", false],
  ["an empty line", "\n", false],
  ["a short text", "short", false],
  ["a key and a remark", `${OLD}# a remark`, false],
  ["a key of 33 bytes", Buffer.alloc(33).toString("base64"), false],
])("whether %s can be what a key file has", (_, text, are) => {
  expect(areKeys(text)).toBe(are);
});
