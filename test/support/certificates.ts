import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** The files of a certificate, PEM. */
interface Certificate {
  certFile: string;
  keyFile: string;
}

export interface Authority {
  caFile: string;
  /** For a server at that address. */
  issueServer(name: string, address: string): Certificate;
  issueClient(name: string): Certificate;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];

/** A certificate authority of its own in a folder, which is made where it is missing. */
export function makeAuthority(folder: string): Authority {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const file = (name: string) => `${folder}/${name}.pem`;
  const own = (name: string) => ["-keyout", file(`${name}-key`), "-out", file(name)];
  const issue = (name: string, extensions: string[]): Certificate => {
    openssl("req", "-x509", "-CA", file("ca"), "-CAkey", file("ca-key"), ...NEW_KEY, ...own(name), [
      ...["-subj", `/CN=${name}`, "-days", "2", "-addext", "basicConstraints=critical,CA:FALSE"],
      ...extensions.flatMap((extension) => ["-addext", extension]),
    ]);
    return { certFile: file(name), keyFile: file(`${name}-key`) };
  };
  openssl("req", "-x509", ...NEW_KEY, ...own("ca"), [
    ...["-subj", "/CN=fastlane test authority", "-days", "2"],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
  ]);
  return {
    caFile: file("ca"),
    issueServer: (name, address) =>
      issue(name, [`subjectAltName=IP:${address}`, "extendedKeyUsage=serverAuth"]),
    issueClient: (name) => issue(name, ["extendedKeyUsage=clientAuth"]),
  };
}

function openssl(...words: (string | string[])[]): void {
  execFileSync("openssl", words.flat(), { stdio: ["ignore", "ignore", "pipe"] });
}
