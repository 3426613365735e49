/** Where a Postgres is, in the terms of both drivers: one reading of the URL for `postgres` and `pg`. */
export interface PostgresAddress {
  /** A host name, or the folder of a unix socket when it begins with "/". */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | undefined;
  tls: TlsMode;
}

/** `verify` checks the certificate against the system's authorities, `encrypt` takes any. */
type TlsMode = "off" | "encrypt" | "verify";

const TLS_MODES: Record<string, TlsMode> = {
  disable: "off",
  require: "encrypt",
  "no-verify": "encrypt",
  "verify-ca": "verify",
  "verify-full": "verify",
};

/**
 * Reads a `postgres://user:password@host:port/database?sslmode=...&host=/socket/folder` URL.
 *
 * @throws {Error} With a sentence that names what is wrong, never the password.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new Error("Cannot read the database URL: it must begin with postgres://");
  }
  const sslMode = url.searchParams.get("sslmode") ?? "disable";
  const tls = TLS_MODES[sslMode];
  if (tls === undefined) {
    throw new Error(
      `Cannot read the database URL: sslmode "${sslMode}" is none of ${Object.keys(TLS_MODES).join(", ")}`,
    );
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  return {
    host: url.searchParams.get("host") ?? (url.hostname || "localhost"),
    port: Number(url.port || url.searchParams.get("port") || 5432),
    user: user || "postgres",
    database: database || user || "postgres",
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
    tls,
  };
}

/** The path of the socket when the server is reached by one. */
export function socketPathOf(address: PostgresAddress): string | null {
  return address.host.startsWith("/") ? `${address.host}/.s.PGSQL.${address.port}` : null;
}

/** TLS options as both drivers take them. */
export function tlsOptionsOf(address: PostgresAddress): false | { rejectUnauthorized: boolean } {
  return address.tls === "off" ? false : { rejectUnauthorized: address.tls === "verify" };
}
