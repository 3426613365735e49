import { closeSync, openSync, readSync, statSync } from "node:fs";

const CHUNK_BYTES = 64 * 1024;

/**
 * What is in a file that somebody named. Reading never waits for a named pipe, and has an end where
 * a device has none.
 *
 * @throws {Error} Where it cannot be read, or is larger.
 */
export function readBytes(path: string, mostBytes: number): Buffer {
  const isPipe = statSync(path).isFIFO();
  // Those of a shell, as `<(...)` or /dev/stdin, have somebody who writes.
  if (isPipe && !/^\/(dev\/(stdin$|fd\/)|proc\/)/.test(path)) throw new Error("it is a named pipe");
  const bytes = contentOf(path, mostBytes);
  if (isPipe && bytes.length === 0) throw new Error("nothing is left in that pipe");
  return bytes;
}

function contentOf(path: string, mostBytes: number): Buffer {
  const file = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    for (let left = mostBytes; ; ) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const length = readSync(file, chunk);
      if (length === 0) return Buffer.concat(chunks);
      left -= length;
      if (left < 0) throw new Error(`it is larger than ${mostBytes} bytes`);
      chunks.push(chunk.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}
