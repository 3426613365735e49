import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ORDINARY } from "../../src/core/confinement.ts";
import { fitsPattern, fullNameOf, isImagePattern } from "../../src/core/image-pattern.ts";
import { registryOf } from "../../src/core/image-reference.ts";
import {
  type Asked,
  breachesOf,
  confinementOf,
  limitsOf,
  type Policy,
} from "../../src/core/policy.ts";
import { formatMemory, parseMemory } from "../../src/core/resources.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const NOTHING = { networks: [], users: [], workdir: false, additionalDNSEntries: false };

const fits = (image: string, pattern: string): boolean => {
  const name = fullNameOf(image);
  return name !== null && fitsPattern(name, pattern);
};

describe("images", () => {
  test.each([
    ["busybox", "docker.io/library/busybox"],
    ["docker.io/busybox", "docker.io/library/busybox"],
    ["index.docker.io/library/busybox:1", "docker.io/library/busybox"],
    ["team/tool", "docker.io/team/tool"],
    ["localhost/tool", "localhost/tool"],
    ["registry.example:5000/tool:1", "registry.example:5000/tool"],
    ["registry.example:5000/a/b/c", "registry.example:5000/a/b/c"],
    ["Registry.Example/tool", "Registry.Example/tool"],
    ["Registry/tool", "Registry/tool"],
    [`sha256:${"a".repeat(64)}`, "sha256"],
  ])("the whole name of %p is %p", (image, name) => {
    expect(fullNameOf(image)?.name).toBe(name);
  });

  test("a registry named with capitals is not Docker Hub, whose login it would be given", () => {
    expect(registryOf("Registry/tool")).toBe("Registry");
  });

  test.each([
    ["docker.io/library/busybox", "busybox"],
    ["docker.io/library/busybox", "docker.io/library/busybox:1.36"],
    ["docker.io/library/busybox", `busybox@${DIGEST}`],
    ["docker.io/library/busybox:latest", "busybox"],
    ["docker.io/library/busybox:1.*", "busybox:1.36"],
    ["docker.io/library/*", "busybox:1"],
    ["docker.io/**", "team/tool"],
    ["registry.example:5000/team/*", "registry.example:5000/team/tool:1"],
    ["registry.example/**", "registry.example/a/b/c:1"],
    ["registry.example/**/tool", "registry.example/a/b/tool:1"],
    ["registry.example/team/tool-*-x", "registry.example/team/tool-1-x"],
    ["*.example/team/*", "registry.example/team/tool"],
    ["**", "busybox"],
    ["**", DIGEST],
    ["**:1.2", "registry.example/a/b:1.2"],
    [`registry.example/tool@${DIGEST}`, `registry.example/tool:1@${DIGEST}`],
    ["registry.example/tool@sha256:*", `registry.example/tool@${DIGEST}`],
    [`registry.example/tool:1@${DIGEST}`, `registry.example/tool:1@${DIGEST}`],
    [`registry.example:5000/tool@${DIGEST}`, `registry.example:5000/tool@${DIGEST}`],
  ])("%p fits %p", (pattern, image) => {
    expect(isImagePattern(pattern)).toBe(true);
    expect(fits(image, pattern)).toBe(true);
  });

  test.each([
    ["docker.io/library/busybox", "team/busybox"],
    ["docker.io/library/busybox", "registry.example/library/busybox"],
    ["docker.io/library/busybox", "busybox2"],
    ["docker.io/library/busybox:1.36", "busybox"],
    ["docker.io/library/busybox:1.36", "busybox:1.36.1"],
    ["docker.io/library/busybox:*", `busybox@${DIGEST}`],
    ["docker.io/library/busybox:1", `busybox:1@${DIGEST}`],
    ["docker.io/library/busybox@sha256:*", "busybox:1"],
    ["docker.io/library/*", "team/tool"],
    ["docker.io/library/*", DIGEST],
    ["docker.io/**", "Registry/tool"],
    ["docker.io/**", "docker.io.example/library/busybox"],
    ["registry.example/team/*", "registry.example/team/sub/tool"],
    ["registry.example/team/*", "registry.example:5000/team/tool"],
    ["registry.example/team/*", "registryXexample/team/tool"],
    ["registry.example/**", "evil.example/registry.example/tool"],
    ["*/team/tool", "evil.example/x/team/tool"],
  ])("%p does not fit %p", (pattern, image) => {
    expect(isImagePattern(pattern)).toBe(true);
    expect(fits(image, pattern)).toBe(false);
  });

  test.each([
    [""],
    ["*"],
    ["busybox"],
    ["library/busybox"],
    ["docker.io"],
    ["docker.io/busybox"],
    ["docker.io/*"],
    ["index.docker.io/library/busybox"],
    ["registry.example/"],
    ["registry.example//tool"],
    ["registry.example/tool (1)"],
    ["^registry.example/.+$"],
  ])("%p is no pattern on the whole reference", (pattern) => {
    expect(isImagePattern(pattern)).toBe(false);
  });

  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const path = fc.array(word, { minLength: 2, maxLength: 4 }).map((words) => words.join("/"));
  const repository = path.map((rest) => `registry.example/${rest}`);
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
  /** Parts of what is there, replaced by stars. */
  const starred = (name: string) =>
    fc
      .array(fc.nat(name.length), { maxLength: 4 })
      .chain((cuts) => fc.constantFrom("*", "**").map((star) => ({ cuts, star })))
      .map(({ cuts, star }) =>
        cuts.reduce((text, cut) => `${text.slice(0, cut)}${star}${text.slice(cut)}`, name),
      );

  test("an image that a pattern without a tag fits goes on fitting with any tag, and by its digest", () => {
    const cases = repository.chain((name) => fc.tuple(fc.constant(name), starred(name), tag));
    fc.assert(
      fc.property(cases, ([name, pattern, version]) => {
        const isFit = fits(name, pattern);

        expect(isFit).toBe(true);
        expect(fits(`${name}:${version}`, pattern)).toBe(isFit);
        expect(fits(`${name}@${DIGEST}`, pattern)).toBe(isFit);
      }),
    );
  });

  test("a pattern that names a registry and a team fits no image of another", () => {
    fc.assert(
      fc.property(repository, fc.option(tag), (name, version) => {
        const image = version === null ? name : `${name}:${version}`;

        expect(fits(image, "registry.example/TEAM/**")).toBe(false);
        expect(fits(image, "other.example/**")).toBe(false);
      }),
    );
  });
});

describe("rules", () => {
  const allow = {
    images: ["docker.io/library/busybox", "registry.example/team/*"],
    digestsOnly: true,
    networks: ["jobs", "none"],
    users: ["nobody"],
    workdir: false,
    additionalDNSEntries: false,
    maxCpus: 2,
    maxMemoryBytes: 2 ** 31,
    maxPids: 100,
  };
  const policy: Policy = { match: "^a", allow };
  const image = `busybox@${DIGEST}`;

  test.each<[string, string, string, Partial<Asked>]>([
    [
      "image",
      "images",
      "must fit docker.io/library/busybox or registry.example/team/*: no other is",
      { image: `evil.example/busybox@${DIGEST}` },
    ],
    ["image", "digestsOnly", "must have a digest: no tag is", { image: "busybox:1" }],
    ["network", "networks", "must be one of jobs, none: no other is", { network: "bridge" }],
    ["user", "users", "must be one of nobody: no other is", { user: "root" }],
    ["workdir", "workdir", "is not", { workdir: "/tmp" }],
    ["additionalDNSEntries", "additionalDNSEntries", "is not", { extraHosts: ["a:10.0.0.1"] }],
    ["resources.cpus", "maxCpus", "must be at most 2: no more is", { cpus: 2.01 }],
    [
      "resources.memory",
      "maxMemory",
      "must be at most 2g: no more is",
      { memoryBytes: 2 ** 31 + 1 },
    ],
    ["resources.pids", "maxPids", "must be at most 100: no more is", { pids: 101 }],
  ])("%s beyond allow.%s is told in a sentence", (path, rule, must, asked) => {
    const message = `${must} allowed by allow.${rule} of pool "^a"`;

    expect(breachesOf(policy, { image, ...asked })).toEqual([{ path, message }]);
  });

  test("all rules that are broken are told, and what is allowed breaks none", () => {
    const within = {
      image,
      network: "jobs",
      user: "nobody",
      cpus: 2,
      memoryBytes: 2 ** 31,
      pids: 1,
    };
    const beyond = { image: "evil.example/x", network: "a", user: "b", cpus: 3, pids: 200 };

    expect(breachesOf(policy, within)).toEqual([]);
    expect(breachesOf(policy, beyond).map(({ path }) => path)).toEqual([
      "image",
      "image",
      "network",
      "user",
      "resources.cpus",
      "resources.pids",
    ]);
  });

  test("where a pool says nothing, any image and any limit do, and nothing beyond", () => {
    const asked = { image: "evil.example/x", cpus: 1_000, memoryBytes: 2 ** 50, pids: 4_000_000 };

    expect(breachesOf({ match: "" }, asked)).toEqual([]);
    expect(breachesOf({ match: "" }, { ...asked, user: "0", workdir: "/" })).toHaveLength(2);
  });

  const held = { ...ORDINARY, cpus: 1, memoryBytes: 2 ** 30 };
  test.each([
    ["what was asked for", { cpus: 1.5, pids: 7 }, { cpus: 1.5, memoryBytes: 2 ** 30, pids: 7 }],
    ["the pool's own, else its most", {}, { cpus: 1, memoryBytes: 2 ** 30, pids: 100 }],
  ])("a container is held to %s", (_, asked, limits) => {
    expect(limitsOf({ ...policy, containers: held }, asked)).toEqual(limits);
  });

  test("without a word of the pool there is no limit, and ordinary confinement", () => {
    const none = { cpus: undefined, memoryBytes: undefined, pids: undefined };

    expect(limitsOf({ match: "", allow: NOTHING }, {})).toEqual(none);
    expect(confinementOf({ match: "" })).toEqual(ORDINARY);
  });
});

test.each([
  ["6m", 6 * 2 ** 20],
  ["512M", 2 ** 29],
  ["2g", 2 ** 31],
  ["6291457", 6 * 2 ** 20 + 1],
  ["6000k", null],
  ["2t", null],
  ["-1g", null],
  ["1.5g", null],
  ["", null],
])("the size %p is %p bytes", (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});

test("a size is told so that it reads back as it was", () => {
  fc.assert(
    fc.property(fc.integer({ min: 6 * 2 ** 20, max: 999_999_999_999 }), (bytes) => {
      expect(parseMemory(formatMemory(bytes))).toBe(bytes);
    }),
  );
  expect([2 ** 31, 512 * 2 ** 20, 2 ** 20 * 1_536].map(formatMemory)).toEqual([
    "2g",
    "512m",
    "1536m",
  ]);
});
