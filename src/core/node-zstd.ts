import * as zlib from "node:zlib";
import { Zstd } from "@hpcc-js/wasm-zstd";

// Node has it from 22.15 on; before that it is WebAssembly's, some times slower.
const wasm = "zstdCompressSync" in zlib ? null : await Zstd.load();

export function compress(bytes: Uint8Array, level: number): Uint8Array {
  if (wasm !== null) return wasm.compress(bytes, level);
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: level };
  return zlib.zstdCompressSync(bytes, { params });
}

export function decompress(compressed: Uint8Array): Uint8Array {
  if (wasm !== null) return wasm.decompress(compressed);
  const { buffer, byteOffset, length } = zlib.zstdDecompressSync(compressed);
  return new Uint8Array(buffer, byteOffset, length);
}
