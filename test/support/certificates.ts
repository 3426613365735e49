import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";

/** The files of a certificate, PEM. */
interface Certificate {
  certFile: string;
  keyFile: string;
}

export interface Authority {
  caFile: string;
  /** For a server at that address. */
  issueServer(name: string, address: string): Certificate;
  /** For a server of that name in the DNS. */
  issueNamed(name: string): Certificate;
  issueClient(name: string): Certificate;
  /** For a server at that address, until the year 2020. */
  issueExpired(name: string, address: string): Certificate;
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
    issueNamed: (name) =>
      issue(name, [`subjectAltName=DNS:${name}`, "extendedKeyUsage=serverAuth"]),
    issueClient: (name) => issue(name, ["extendedKeyUsage=clientAuth"]),
    issueExpired(name, address) {
      // Of openssl's commands, `ca` alone takes dates, and needs a folder of a certain shape.
      writeFileSync(file("index"), "");
      writeFileSync(file("config"), caConfig(folder));
      const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=IP:${address}`];
      openssl("req", ...NEW_KEY, "-keyout", file(`${name}-key`), "-out", file("csr"), subject);
      openssl("ca", "-batch", "-notext", "-config", file("config"), [
        ...["-startdate", "20190101000000Z", "-enddate", "20200101000000Z"],
        ...["-in", file("csr"), "-out", file(name)],
      ]);
      return { certFile: file(name), keyFile: file(`${name}-key`) };
    },
  };
}

const caConfig = (folder: string) => `
[ca]
default_ca = authority
[authority]
certificate = ${folder}/ca.pem
private_key = ${folder}/ca-key.pem
database = ${folder}/index.pem
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
copy_extensions = copy
policy = any
[any]
commonName = supplied
`;

function openssl(...words: (string | string[])[]): void {
  execFileSync("openssl", words.flat(), { stdio: ["ignore", "ignore", "pipe"] });
}
