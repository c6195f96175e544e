import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { AppError } from "../../src/errors.ts";
import type { RevocationService } from "../../src/revocation/revocation-service.ts";
import { raise, TestCredentialStore } from "./test-credential-store.ts";

let store: TestCredentialStore;

/** How many revocations of a server were acknowledged, and how long that took. */
async function acknowledged({ acknowledgement }: RevocationService): Promise<{ count: number; seconds: number }> {
  const { values } = await acknowledgement.get();
  const of = (suffix: string) => values.find(({ metricName }) => metricName?.endsWith(suffix))?.value ?? 0;
  return { count: of("_count"), seconds: of("_sum") };
}

beforeAll(async () => {
  store = await TestCredentialStore.open();
});

afterAll(() => store.close());

beforeEach(() => store.reset());

test("with a lease, a credential is read once, and then known without any statement", async () => {
  const { service, version, reads } = await store.startServer();
  expect(service.metrics().leaseIsValid).toBe(true);
  for (let request = 0; request < 100; request += 1) {
    expect(await version("ada")).toBe(1);
  }
  expect(reads()).toBe(1);
  expect(service.metrics().cache).toMatchObject({ hits: 99, misses: 1, readsWithoutLease: 0 });
});

test("a change made on one server is known to the other when the call returns, two hundred times", async () => {
  const one = await store.startServer();
  const two = await store.startServer();
  for (let round = 0; round < 200; round += 1) {
    await Promise.all([one.version("ada"), two.version("ada")]);
    const version = await one.change("ada");
    expect(await Promise.all([one.version("ada"), two.version("ada")])).toEqual([version, version]);
  }
  const { count, seconds } = await acknowledged(one.service);
  console.log(`200 revocations took ${((seconds / count) * 1_000).toFixed(1)} ms on average`);
  expect(count).toBe(200);
  // Acknowledged, not waited for until the lease was over.
  expect(one.service.metrics().unheardServers).toBe(0);
  expect(seconds / count).toBeLessThan(1);
});

test("under constant load no request that is sent after the answer sees what was before", async () => {
  const servers = [await store.startServer(), await store.startServer()] as const;
  let answered = 1;
  let isOver = false;
  let requests = 0;
  const load = servers.map(async ({ version }) => {
    while (!isOver) {
      const least = answered;
      expect(await version("ada")).toBeGreaterThanOrEqual(least);
      requests += 1;
      if (requests % 50 === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  });
  for (let round = 0; round < 50; round += 1) {
    answered = await servers[round % 2 === 0 ? 0 : 1].change("ada");
  }
  isOver = true;
  await Promise.all(load);
  expect(requests).toBeGreaterThan(1_000);
});

test("revocations of both servers at once are all answered and all hold", async () => {
  const one = await store.startServer();
  const two = await store.startServer();
  await Promise.all([...Array(20)].map((_, index) => (index % 2 === 0 ? one : two).change("ada")));
  expect(await Promise.all([one.version("ada"), two.version("ada")])).toEqual([21, 21]);
});

test("a subject that a record depends on takes every record with it", async () => {
  const { service, version } = await store.startServer();
  expect([await version("ada"), await version("bob")]).toEqual([1, 1]);
  await service.revoke(["team:red"], async (transaction) => {
    await raise(transaction, "ada");
    await raise(transaction, "bob");
  });
  expect([await version("ada"), await version("bob")]).toEqual([2, 2]);
});

test("a change whose result says that it took nothing away waits for no server", async () => {
  const { service, version } = await store.startServer({ leaseMs: 60_000 });
  await version("ada");
  const change = (hasRevoked: boolean) =>
    service.revoke(["badge:ada"], (transaction) => raise(transaction, "ada"), { hasRevoked: () => hasRevoked });
  await change(true);
  expect(await version("ada")).toBe(2);
  await change(false);
  expect((await acknowledged(service)).count).toBe(1);
});

test("a change that fails revokes nothing", async () => {
  const { service, version, reads } = await store.startServer();
  await version("ada");
  const change = service.revoke(["badge:ada"], async (transaction) => {
    await raise(transaction, "ada");
    throw new AppError("not_found", "There is no such badge.");
  });
  await expect(change).rejects.toMatchObject({ code: "not_found" });
  expect(await version("ada")).toBe(1);
  expect(reads()).toBe(1);
});

test("running calls are ended when their credential is revoked on another server, and only those", async () => {
  const one = await store.startServer();
  const two = await store.startServer();
  const ended: string[] = [];
  for (const id of ["ada", "bob"]) {
    const found = await two.cache.get(id);
    expect(found).toBeDefined();
    if (found !== undefined) {
      two.service.track(found, (reason) => ended.push(`${id}: ${reason.code}`));
    }
  }
  await one.change("ada");
  expect(ended).toEqual(["ada: invalid_api_key"]);
});

test("a revocation does not wait for a server that stops; until then that reads the database for every request", async () => {
  const one = await store.startServer({ leaseMs: 60_000 });
  const two = await store.startServer({ leaseMs: 60_000 });
  await two.version("ada");
  await two.service.stop();
  const version = await one.change("ada");
  expect(await two.version("ada")).toBe(version);
  expect(two.service.metrics()).toMatchObject({ leaseIsValid: false, cache: { readsWithoutLease: 1 } });
});
