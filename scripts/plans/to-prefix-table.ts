const largestPrefix = 2 ** 32 - 1;
const mostValues = 2 ** 16;

/** Encodes values by prefix in the form that `src/text/prefix-table.ts` reads, without the compression. */
export function toPrefixTable(values: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(values)
    .map(([prefix, value]) => ({ prefix: Number(prefix), value }))
    .sort((one, other) => one.prefix - other.prefix);
  const positions = new Map(
    [...new Set(entries.map(({ value }) => value))].map((value, position) => [value, position]),
  );
  const unfit = entries.find(({ prefix, value }) => prefix > largestPrefix || value.includes("\n"));
  if (unfit !== undefined || positions.size > mostValues) {
    throw new RangeError(`the form of the tables has no place for ${unfit?.prefix ?? `${positions.size} values`}`);
  }
  const numbers = Buffer.alloc(8 + 6 * entries.length);
  numbers.writeUInt32LE(entries.length, 0);
  numbers.writeUInt32LE(positions.size, 4);
  let before = 0;
  entries.forEach(({ prefix, value }, index) => {
    numbers.writeUInt32LE(prefix - before, 8 + 4 * index);
    numbers.writeUInt16LE(positions.get(value) ?? 0, 8 + 4 * entries.length + 2 * index);
    before = prefix;
  });
  return Buffer.concat([numbers, Buffer.from([...positions.keys()].join("\n"))]);
}
