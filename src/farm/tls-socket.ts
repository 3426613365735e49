import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import tls, { type ConnectionOptions, type TLSSocket } from "node:tls";
import { messageOf } from "../core/errors.ts";
import type { TlsAccess } from "../core/host-access.ts";
import { faultWords, isUntrusted } from "./fault-words.ts";

const CONNECT_WITHIN_MS = 10_000;

/**
 * A TLS connection to a host whose certificate is good. The files are read anew each time, so that
 * a renewed certificate counts at once.
 *
 * @throws {Error} Saying what is wrong with the files, the connection or the host's certificate.
 */
export async function openTls(
  host: string,
  port: number,
  { caFile, certFile, keyFile }: TlsAccess,
): Promise<TLSSocket> {
  const own = certFile === undefined || keyFile === undefined ? {} : await pair(certFile, keyFile);
  const options: ConnectionOptions = {
    host,
    port,
    ca: caFile === undefined ? tls.getCACertificates("system") : await authorities(caFile),
    ...own,
    // Else the environment could turn it off (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
  };
  const socket = tls.connect(options);
  try {
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(CONNECT_WITHIN_MS) });
  } catch (error) {
    socket.destroy();
    const words = faultWords(error) ?? messageOf(error);
    const trusted = caFile === undefined ? "the system's are" : `"${caFile}" is`;
    throw new Error(isUntrusted(error) ? `${words}: ${trusted} what counts` : words, {
      cause: error,
    });
  }
  return socket;
}

async function authorities(file: string): Promise<string> {
  const text = await textOf("caFile", file);
  certificateIn("caFile", file, text);
  return text;
}

async function pair(certFile: string, keyFile: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = await Promise.all([textOf("certFile", certFile), textOf("keyFile", keyFile)]);
  const certificate = certificateIn("certFile", certFile, cert);
  if (new Date(certificate.validTo) < new Date()) {
    throw new Error(`the certificate in "${certFile}" has expired on ${certificate.validTo}`);
  }
  if (!certificate.checkPrivateKey(keyIn(keyFile, key))) {
    throw new Error(`the key in "${keyFile}" is not that of the certificate in "${certFile}"`);
  }
  return { cert, key };
}

async function textOf(what: string, file: string): Promise<string> {
  return await readFile(file, "utf8").catch((error: unknown) => {
    throw new Error(`cannot read the ${what} "${file}": ${messageOf(error)}`);
  });
}

function certificateIn(what: string, file: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new Error(`the ${what} "${file}" has no certificate in PEM`);
  }
}

function keyIn(file: string, text: string) {
  try {
    return createPrivateKey(text);
  } catch {
    throw new Error(`the keyFile "${file}" has no private key in PEM without a passphrase`);
  }
}
