export interface ImageReference {
  /** What is pulled, with registry where one was given: `registry.example:5000/team/tool`. */
  repository: string;
  /** A tag, or a digest `sha256:...`. */
  version: string;
  isDigest: boolean;
}

// The grammar of distribution/reference: path parts in lower case, the registry's name in any.
const PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const REGISTRY = "(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?/";
const REFERENCE = new RegExp(
  `^((?:${REGISTRY})?${PART}(?:/${PART})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([a-z0-9]+:[0-9a-fA-F]{32,128}))?$`,
);

/** Reads an image reference; `latest` when it has neither tag nor digest; `null` when it is none. */
export function parseImageReference(text: string): ImageReference | null {
  const [whole, repository, tag, digest] = REFERENCE.exec(text) ?? [];
  if (whole === undefined || repository === undefined) return null;
  if (digest !== undefined) return { repository, version: digest, isDigest: true };
  return { repository, version: tag ?? "latest", isDigest: false };
}

/** The registry that an image comes from, as its reference names it; Docker Hub where it names none. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  // The rule of distribution/reference: no image's own name has capitals.
  const isRegistry = rest.length > 0 && (/[.:A-Z]/.test(first) || first === "localhost");
  return isRegistry ? first : "docker.io";
}

export function formatImageReference(reference: ImageReference): string {
  return `${reference.repository}${reference.isDigest ? "@" : ":"}${reference.version}`;
}

/**
 * An image as engines list it: Docker Hub is left out, and its `library` too.
 *
 * @returns `null` when the text is no image reference.
 */
export function shortImageName(text: string): string | null {
  const reference = parseImageReference(text);
  if (reference === null) return null;
  const repository = reference.repository
    .replace(/^(?:index\.)?docker\.io\//, "")
    .replace(/^library\/(?=[^/]+$)/, "");
  return formatImageReference({ ...reference, repository });
}
