const blockBytes = 512;
const maxPathBytes = 100;

/**
 * A tar archive (ustar, POSIX.1-2001 pax §"ustar Interchange Format") of text files, by path. The same files give the same bytes: entries have no
 * time, no owner and one mode. Throws for paths longer than 100 bytes.
 */
export function tarOf(files: ReadonlyMap<string, string>): Buffer {
  const blocks: Buffer[] = [];
  for (const [path, text] of files) {
    const content = Buffer.from(text);
    blocks.push(header(path, content.length), content, Buffer.alloc(-content.length & (blockBytes - 1)));
  }
  // Two empty blocks end an archive.
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

function header(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new RangeError(`${path} is too long for the archive`);
  }
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, digits: number) => block.write(value.toString(8).padStart(digits, "0"), at);
  block.write(path, 0);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(0, 136, 11);
  // The checksum is computed with spaces in its own place.
  block.fill(" ", 148, 156);
  block.write("0", 156);
  block.write("ustar\x0000", 257, "latin1");
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block.write("\0 ", 154, "latin1");
  return block;
}
