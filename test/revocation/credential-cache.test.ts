import { expect, test } from "vitest";
import { AppliedRevocations } from "../../src/revocation/applied-revocations.ts";
import { CredentialCache, type Loaded } from "../../src/revocation/credential-cache.ts";

/** A cache whose reads the test answers, one after another. */
function createCache(bounds: { maxEntries: number; maxAbsent?: number } = { maxEntries: 10 }) {
  const applied = new AppliedRevocations();
  const lease = { valid: true, isValid: () => lease.valid };
  const counters = { hits: 0, misses: 0, readsWithoutLease: 0, repeatedReads: 0 };
  const reads: (PromiseWithResolvers<Loaded<string> | undefined> & { readonly key: string })[] = [];
  const cache = new CredentialCache<string>(
    { lease, applied, counters },
    {
      ...bounds,
      subjectOf: (key) => `key:${key}`,
      load: (key) => {
        const read = { key, ...Promise.withResolvers<Loaded<string> | undefined>() };
        reads.push(read);
        return read.promise;
      },
    },
  );
  let sequence = 0;
  return {
    cache,
    lease,
    counters,
    reads,
    revoke(subject: string) {
      sequence += 1;
      applied.apply([{ sequence, subject }]);
    },
    startOver: () => applied.startOver(sequence),
    /** Asks for a key, and answers the read that follows from it, if one does. */
    async get(key: string, answer?: string) {
      const result = cache.get(key);
      reads.splice(0).map((read) => read.resolve(answer === undefined ? undefined : loaded(answer)));
      return (await result)?.record;
    },
  };
}

function loaded(record: string): Loaded<string> {
  return { record, subjects: ["workspace:w"] };
}

test("concurrent requests for one key share a read", async () => {
  const { cache, reads, counters } = createCache();
  const requests = [cache.get("a"), cache.get("a"), cache.get("a")];
  expect(reads).toHaveLength(1);
  reads[0]?.resolve(loaded("first"));
  expect((await Promise.all(requests)).map((found) => found?.record)).toEqual(["first", "first", "first"]);
  await cache.get("a");
  expect(reads).toHaveLength(1);
  expect(counters).toMatchObject({ hits: 1, misses: 3 });
});

test("a record is forgotten when its subject is revoked, or a subject that it depends on", async () => {
  const { get, revoke } = createCache();
  await get("a", "first");
  revoke("key:a");
  expect(await get("a", "second")).toBe("second");
  revoke("workspace:w");
  expect(await get("a", "third")).toBe("third");
  revoke("key:b");
  expect(await get("a", "fourth")).toBe("third");
});

test.each(["key:a", "workspace:w"])("a read during which %s is revoked is repeated", async (subject) => {
  const { cache, reads, revoke, counters } = createCache();
  const requests = [cache.get("a"), cache.get("a")];
  revoke(subject);
  reads[0]?.resolve(loaded("from before"));
  await expect.poll(() => reads.length, { timeout: 10_000 }).toBe(2);
  reads[1]?.resolve(loaded("from after"));
  expect((await Promise.all(requests)).map((found) => found?.record)).toEqual(["from after", "from after"]);
  expect(counters.repeatedReads).toBe(1);
});

test("a read during which the server starts over is repeated, whatever its key", async () => {
  const { cache, reads, startOver } = createCache();
  const request = cache.get("a");
  startOver();
  reads[0]?.resolve(loaded("from before"));
  await expect.poll(() => reads.length, { timeout: 10_000 }).toBe(2);
  reads[1]?.resolve(loaded("from after"));
  expect((await request)?.record).toBe("from after");
});

test("without a lease every request reads the database, and joins no read that began before", async () => {
  const { cache, lease, reads } = createCache();
  const withLease = cache.get("a");
  lease.valid = false;
  const without = [cache.get("a"), cache.get("a")];
  expect(reads).toHaveLength(3);
  reads.forEach((read, index) => {
    read.resolve(loaded(`read ${index}`));
  });
  expect((await withLease)?.record).toBe("read 0");
  expect((await Promise.all(without)).map((found) => found?.record)).toEqual(["read 1", "read 2"]);
});

test("absence is remembered too, until the subject of the key is revoked", async () => {
  const { get, revoke } = createCache();
  expect(await get("a")).toBeUndefined();
  expect(await get("a", "too late")).toBeUndefined();
  revoke("key:a");
  expect(await get("a", "created")).toBe("created");
});

test("a read that fails is not remembered", async () => {
  const { cache, reads, get } = createCache();
  const request = cache.get("a");
  reads.splice(0)[0]?.reject(new Error("the database is away"));
  await expect(request).rejects.toThrow("the database is away");
  expect(await get("a", "first")).toBe("first");
});

test("beyond its bounds the key that was not asked for the longest is forgotten", async () => {
  const { cache, get } = createCache({ maxEntries: 2 });
  await get("a", "a1");
  await get("b", "b1");
  await get("a");
  await get("c", "c1");
  expect(cache.size).toBe(2);
  expect(await get("a", "a2")).toBe("a1");
  expect(await get("b", "b2")).toBe("b2");
});

test("keys that do not exist cannot push out those that do", async () => {
  const { cache, get } = createCache({ maxEntries: 2, maxAbsent: 3 });
  await get("a", "a1");
  for (const key of ["x1", "x2", "x3", "x4", "x5"]) {
    await get(key);
  }
  expect(cache.size).toBe(4);
  expect(await get("a", "a2")).toBe("a1");
});
