import { expect, test } from "vitest";
import { ChunkList } from "../../src/server/chunk-list.ts";

test.each([
  { sizes: [10_000], chunks: 1 },
  { sizes: [1], chunks: 1 },
  { sizes: Array.from({ length: 100_000 }, () => 1), chunks: 26 },
  { sizes: [5_000, 1, 2, 3_000, 1_023, 1_024, 1, 4_096, 0, 7], chunks: 8 },
  { sizes: [], chunks: 0 },
])("what is added is kept as it was, in few chunks: %j", ({ sizes, chunks }) => {
  const list = new ChunkList();
  const added = sizes.map((size, index) => Buffer.alloc(size, index));
  for (const chunk of added) {
    list.add(chunk);
  }
  const all = Buffer.concat(added);
  expect(Buffer.compare(Buffer.from(list.join()), all)).toBe(0);
  expect(Buffer.compare(Buffer.concat(list.chunks), all)).toBe(0);
  expect(list.length).toBe(all.length);
  expect(list.chunks.length).toBeLessThanOrEqual(chunks);
});
