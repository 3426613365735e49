import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";

// Where Linux distributions keep them, as Go's crypto/x509 has it (root_linux.go).
const FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates that the system trusts, from the first file there is; or those built into Node. */
export function caCertificates(type = "default"): string[] {
  if (type !== "system") return [...rootCertificates];
  for (const file of FILES) {
    try {
      return readFileSync(file, "utf8").match(CERTIFICATE) ?? [];
    } catch {
      // The next one.
    }
  }
  return [];
}
