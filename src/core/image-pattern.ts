import { parseImageReference, registryOf } from "./image-reference.ts";

/** An image as it is looked at where it must be clear what is meant. */
export interface FullName {
  /** With its registry, and the `library` of Docker Hub: `docker.io/library/busybox`. */
  name: string;
  /** A tag, or a digest `sha256:...`. */
  version: string;
  isDigest: boolean;
}

const CHARACTERS = /^[A-Za-z0-9._:@/*-]+$/;
const NAME_AND_VERSION = /^(.+?)(?:(?::[^/:@]+)?@([^/@]+)|:([^/:@]+))?$/;

/** Reads a reference as an engine does; `null` when the text is none. */
export function fullNameOf(text: string): FullName | null {
  const reference = parseImageReference(text);
  if (reference === null) return null;
  const { repository, version, isDigest } = reference;
  // The id of an image on the host, wherever that is from: it has no registry.
  if (repository === "sha256" && !isDigest) return { name: repository, version, isDigest };
  const registry = registryOf(repository);
  const isNamed = repository.startsWith(`${registry}/`);
  const path = isNamed ? repository.slice(registry.length + 1) : repository;
  const isHub = registry === "docker.io" || registry === "index.docker.io";
  const fullPath = isHub && !path.includes("/") ? `library/${path}` : path;
  return { name: `${isHub ? "docker.io" : registry}/${fullPath}`, version, isDigest };
}

/** Whether a pattern is one on the whole reference: what is left out of it, it would never fit. */
export function isImagePattern(pattern: string): boolean {
  const [first = "", ...path] = pattern.split("/");
  if (!CHARACTERS.test(pattern) || path.includes("")) return false;
  if (path.length === 0) return first.startsWith("**");
  if (first.includes("*")) return true;
  if (first === "docker.io") return path.length > 1 || pattern.includes("**");
  return registryOf(pattern) === first && first !== "index.docker.io";
}

/**
 * Whether an image is one of those that a pattern names. `*` is any run of characters without `/`,
 * `**` any run at all. Without tag and digest a pattern fits all of them; one with a tag fits no
 * digest, of which nobody can tell what tag it had.
 */
export function fitsPattern({ name, version, isDigest }: FullName, pattern: string): boolean {
  const [, names = "", digests, tags] = NAME_AND_VERSION.exec(pattern) ?? [];
  if (!expressionOf(names).test(name)) return false;
  const versions = isDigest ? digests : tags;
  if (versions === undefined) return digests === undefined && tags === undefined;
  return expressionOf(versions).test(version);
}

function expressionOf(pattern: string): RegExp {
  const source = pattern
    .split(/(\*+)/)
    .map((part) => {
      if (!part.startsWith("*")) return RegExp.escape(part);
      return part === "*" ? "[^/]*" : ".*";
    })
    .join("");
  return new RegExp(`^${source}$`);
}
