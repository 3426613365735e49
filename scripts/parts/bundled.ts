// What Bun and the bundled Postgres consist of, which no package manager tells. The texts are in
// licenses/; those of Debian's packages of the same libraries where the npm packages bring none.

export interface Bundled {
  name: string;
  /** `null`: its makers do not say which one they took. */
  version: string | null;
  /** By SPDX. */
  license: string;
  /** Files of licenses/. */
  texts: string[];
  /** How the names of its files in the archive begin. */
  files?: string[];
}

const OPENSSL_FILES = ["libcrypto.", "libssl."];
const ICU_FILES = ["libicudata.", "libicui18n.", "libicuuc."];

export const POSTGRES_PARTS: Record<"linux" | "darwin", Bundled[]> = {
  linux: [
    part("openssl", "1.1.1", "OpenSSL", ["openssl-1.1"], OPENSSL_FILES),
    part("icu", "60.2", "Unicode-3.0", ["icu"], ICU_FILES),
    part("xz-liblzma", "5.2.2", "LicenseRef-public-domain", ["xz-liblzma"], ["liblzma."]),
    part("ossp-uuid", "1.6.2", "MIT", ["ossp-uuid"], ["libossp-uuid."]),
    part("libxml2", "2.9.4", "MIT", ["libxml2"], ["libxml2."]),
    part("libxslt", "1.1.29", "MIT", ["libxslt"], ["libxslt."]),
    part("zlib", "1.2.11", "Zlib", ["zlib"], ["libz."]),
  ],
  darwin: [
    part("openssl", "3.5.6", "Apache-2.0", ["openssl-3", "Apache-2.0"], OPENSSL_FILES),
    part("icu", "77.1", "Unicode-3.0", ["icu"], ICU_FILES),
    part("krb5", "1.22.2", "MIT", ["krb5"], ["libcom_err.", "libgssapi_krb5.", "libk5", "libkrb5"]),
    part("libedit", null, "BSD-3-Clause", ["libedit"], ["libedit."]),
    part("libiconv", null, "LGPL-2.1-or-later", ["libiconv", "LGPL-2.1"], ["libiconv."]),
    part("libintl", null, "LGPL-2.1-or-later", ["gettext-libintl", "LGPL-2.1"], ["libintl."]),
    part("lz4", "1.10.0", "BSD-2-Clause", ["lz4"], ["liblz4."]),
    part("libuuid", null, "BSD-3-Clause", ["libuuid"], ["libuuid."]),
    part("libxml2", "2.15.3", "MIT", ["libxml2"], ["libxml2."]),
    part("zlib", "1.3.2", "Zlib", ["zlib"], ["libz."]),
    part("zstd", "1.5.7", "BSD-3-Clause", ["zstd"], ["libzstd."]),
  ],
};

/** By Bun's LICENSE.md, for its version of now; `process.versions` has the commits. */
export const BUN_PARTS: Bundled[] = [
  runtimePart("webkit", "LGPL-2.0-or-later", ["webkit", "LGPL-2.0"]),
  runtimePart("boringssl", "OpenSSL AND ISC AND Apache-2.0", ["boringssl", "Apache-2.0"]),
  part("brotli", null, "MIT", ["brotli"]),
  runtimePart("libarchive", "BSD-2-Clause", ["libarchive"]),
  runtimePart("lolhtml", "BSD-3-Clause", ["lol-html"]),
  runtimePart("lshpack", "MIT", ["ls-hpack"]),
  part("ls-qpack", null, "MIT", ["ls-hpack"]),
  part("lsquic", null, "MIT AND BSD-3-Clause", ["lsquic"]),
  runtimePart("mimalloc", "MIT", ["mimalloc"]),
  runtimePart("picohttpparser", "MIT", ["picohttpparser"]),
  runtimePart("zstd", "BSD-3-Clause", ["zstd"]),
  part("simdutf", null, "Apache-2.0", ["simdutf", "Apache-2.0"]),
  runtimePart("tinycc", "LGPL-2.1-or-later", ["tinycc", "LGPL-2.1"]),
  runtimePart("uwebsockets", "Apache-2.0", ["uwebsockets", "Apache-2.0"]),
  runtimePart("usockets", "Apache-2.0", ["uwebsockets", "Apache-2.0"]),
  runtimePart("zlib", "Zlib", ["zlib-ng"]),
  runtimePart("ares", "MIT", ["c-ares"]),
  runtimePart("icu", "Unicode-3.0", ["icu"]),
  runtimePart("sqlite", "blessing", ["sqlite"]),
  part("libbase64", null, "BSD-2-Clause", ["libbase64"]),
  runtimePart("libdeflate", "MIT", ["libdeflate"]),
  part("libjpeg-turbo", null, "IJG AND BSD-3-Clause AND Zlib", ["libjpeg-turbo"]),
  part("libspng", null, "BSD-2-Clause", ["libspng"]),
  part("libwebp", null, "BSD-3-Clause", ["libwebp"]),
  part("highway", null, "Apache-2.0", ["highway", "Apache-2.0"]),
  part("uucode", null, "MIT", ["uucode"]),
  part("llvm-libcxxabi", null, "Apache-2.0 WITH LLVM-exception", ["llvm-libcxxabi"]),
  part("bun-polyfills", null, "MIT", ["bun-polyfills"]),
];

export const BUN: Bundled = part("bun", Bun.version, "MIT", ["bun", "Apache-2.0"]);

export function postgresItself(version: string): Bundled {
  return part("postgresql", version, "PostgreSQL", ["postgresql"]);
}

function part(
  name: string,
  version: string | null,
  license: string,
  texts: string[],
  files?: string[],
): Bundled {
  return { name, version, license, texts, ...(files && { files }) };
}

function runtimePart(name: string, license: string, texts: string[]): Bundled {
  return part(name, process.versions[name] ?? null, license, texts);
}
