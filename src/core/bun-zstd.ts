export function compress(bytes: Uint8Array, level: number): Uint8Array {
  return Bun.zstdCompressSync(bytes, { level });
}

export function decompress(compressed: Uint8Array): Uint8Array {
  // As no Buffer: what reads it may slice.
  const { buffer, byteOffset, length } = Bun.zstdDecompressSync(compressed);
  return new Uint8Array(buffer, byteOffset, length);
}
