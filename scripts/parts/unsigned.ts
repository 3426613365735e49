// Bun signs anew what it compiles for Apple's own processors, where nothing runs without; for
// Intel's it leaves the signature of its own executable, which is then wrong, and macOS ends a
// program with a wrong one, but not one with none.
const MAGIC_64 = 0xfeedfacf;
const HEADER_BYTES = 32;
const SEGMENT_64 = 0x19;
const CODE_SIGNATURE = 0x1d;

/**
 * A Mach-O program of 64 bits without its signature.
 *
 * @throws {Error} If it is none, or has something behind its signature.
 */
export function withoutSignature(program: Buffer): Buffer {
  if (program.readUInt32LE(0) !== MAGIC_64) throw new Error("Cannot unsign: it is no Mach-O file");
  const file = Buffer.from(program);
  const commands = commandsOf(file);
  const signature = commands.find(({ kind }) => kind === CODE_SIGNATURE);
  const linkedit = commands.find(
    ({ kind, at }) =>
      kind === SEGMENT_64 && file.toString("latin1", at + 8, at + 24).startsWith("__LINKEDIT\0"),
  );
  if (signature === undefined) return file;
  const start = file.readUInt32LE(signature.at + 8);
  const end = start + file.readUInt32LE(signature.at + 12);
  if (linkedit === undefined || end !== file.length)
    throw new Error(`Cannot unsign: the signature ends at ${end}, the file at ${file.length}`);
  file.writeBigUInt64LE(BigInt(start) - file.readBigUInt64LE(linkedit.at + 40), linkedit.at + 48);
  const commandsEnd = HEADER_BYTES + file.readUInt32LE(20);
  file.copyWithin(signature.at, signature.at + signature.size, commandsEnd);
  file.fill(0, commandsEnd - signature.size, commandsEnd);
  file.writeUInt32LE(commands.length - 1, 16);
  file.writeUInt32LE(commandsEnd - HEADER_BYTES - signature.size, 20);
  return file.subarray(0, start);
}

function commandsOf(file: Buffer): { kind: number; at: number; size: number }[] {
  const commands = [];
  let at = HEADER_BYTES;
  for (let index = 0; index < file.readUInt32LE(16); index++) {
    const size = file.readUInt32LE(at + 4);
    commands.push({ kind: file.readUInt32LE(at), at, size });
    at += size;
  }
  return commands;
}
