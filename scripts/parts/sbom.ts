// The list of what a program consists of, by CycloneDX 1.6.
import { Contrib, Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { VERSION } from "./bundle.ts";
import type { Component } from "./components.ts";

export interface Subject {
  /** Of the program. */
  fileName: string;
  /** In hexadecimal. */
  sha256: string;
  components: Component[];
}

// SPDX' own list has no word for these.
const EXPRESSION = / (AND|OR|WITH) /;

const licenses = new Contrib.License.Factories.LicenseFactory((expression) => {
  if (!EXPRESSION.test(expression)) throw new Error(`"${expression}" is no expression`);
});

/** Equal subjects give equal text: it has no time of making, and its number is of the program. */
export function sbomOf(subject: Subject): string {
  const { fileName, sha256, components } = subject;
  const program = new Models.Component(Enums.ComponentType.Application, "fastlane", {
    bomRef: `fastlane@${VERSION}`,
    version: VERSION,
    description: `The program ${fileName}`,
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], sha256]]),
    licenses: new Models.LicenseRepository([licenses.makeFromString("MIT")]),
  });
  const bom = new Models.Bom({
    serialNumber: `urn:uuid:${uuidOf(sha256)}`,
    metadata: new Models.Metadata({ component: program }),
  });
  for (const component of components.filter(({ within }) => within === null)) {
    const model = modelOf(component);
    for (const part of components.filter(({ within }) => within === component.name)) {
      const partModel = modelOf(part);
      model.components.add(partModel);
      model.dependencies.add(partModel.bomRef);
    }
    program.dependencies.add(model.bomRef);
    bom.components.add(model);
  }
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const serializer = new Serialize.JsonSerializer(factory);
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function modelOf({ name, version, license, within, kind }: Component): Models.Component {
  const type = kind === "npm" ? Enums.ComponentType.Library : typeOfNative(name, within);
  const path = kind === "npm" ? `npm/${name.replace("@", "%40")}` : `generic/${name}`;
  const purl = `pkg:${path}${version === null ? "" : `@${version}`}`;
  return new Models.Component(type, name, {
    bomRef: within === null ? purl : `${within}:${purl}`,
    ...(version !== null && { version }),
    purl,
    licenses: new Models.LicenseRepository([licenses.makeFromString(license)]),
  });
}

function typeOfNative(name: string, within: Component["within"]): Enums.ComponentType {
  if (within !== null) return Enums.ComponentType.Library;
  return name === "bun" ? Enums.ComponentType.Platform : Enums.ComponentType.Application;
}

/** A number made from a digest, marked as such (RFC 9562, version 8). */
function uuidOf(sha256: string): string {
  const variant = ((Number.parseInt(sha256.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    sha256.slice(0, 8),
    sha256.slice(8, 12),
    `8${sha256.slice(13, 16)}`,
    `${variant}${sha256.slice(17, 20)}`,
    sha256.slice(20, 32),
  ].join("-");
}
