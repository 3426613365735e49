// The programs of the macOS packages are for both processors at once; half of each is enough.
const MAGIC = 0xcafebabe;
const CPU_TYPES = { x64: 0x01000007, arm64: 0x0100000c };
const HEADER_BYTES = 8;
const ENTRY_BYTES = 20;

/**
 * The part of a universal Mach-O file that is for one processor, with that part's own signature;
 * any other file as it is.
 *
 * @throws {Error} If it is universal and has no such part.
 */
export function thinned(file: Buffer, cpu: keyof typeof CPU_TYPES): Buffer {
  if (file.length < HEADER_BYTES || file.readUInt32BE(0) !== MAGIC) return file;
  const count = file.readUInt32BE(4);
  for (let index = 0; index < count; index++) {
    const entry = HEADER_BYTES + index * ENTRY_BYTES;
    if (file.readUInt32BE(entry) !== CPU_TYPES[cpu]) continue;
    const offset = file.readUInt32BE(entry + 8);
    return file.subarray(offset, offset + file.readUInt32BE(entry + 12));
  }
  throw new Error(`Cannot take ${cpu} from a universal file: it is for ${count} others`);
}
