import type { Revocation } from "../../../src/revocation/applied-revocations.ts";
import type { CacheCounters } from "../../../src/revocation/credential-cache.ts";
import type { Build } from "./build.ts";
import type { ModelPostgres } from "./model-postgres.ts";
import { SimulatedProcess } from "./process.ts";
import { type Versions, Wire } from "./wire.ts";
import type { World } from "./world.ts";

export const leaseMs = 200;

/** What the key depends on: itself and its workspace. */
export function subjectsOfKey(key: string): readonly [string, string] {
  return [key, "workspace"];
}

/** A server with a lease and a cache, as the service puts them together, but on the world's time. */
export function createServer(world: World, database: ModelPostgres, build: Build, name: string) {
  const process = new SimulatedProcess(world);
  const wire = new Wire(world, process, database);
  const applied = new build.AppliedRevocations();
  const counters: CacheCounters = { hits: 0, misses: 0, readsWithoutLease: 0, repeatedReads: 0 };
  let registrations = 0;
  const lease = new build.Lease({
    store: wire,
    applied,
    clock: process,
    leaseMs,
    createRegistrationId: () => {
      registrations += 1;
      return `${name}.${registrations}`;
    },
  });
  const cache = new build.CredentialCache<Versions>(
    { lease, applied, counters },
    { load: (key) => wire.load(subjectsOfKey(key)), subjectOf: (key) => key, maxEntries: 100 },
  );

  const ignoreFailure = () => undefined;
  const renewEvery = (intervalMs: number) => {
    lease.renew().catch(ignoreFailure);
    process.pause(intervalMs).then(() => renewEvery(intervalMs));
  };

  const hear = (revocations: readonly Revocation[]) => {
    if (build.onNotification === "apply its number") {
      applied.apply(revocations);
      lease.renew().catch(ignoreFailure);
    } else {
      lease.catchUp().catch(ignoreFailure);
    }
  };
  database.listeners.push((revocations) => {
    if (!wire.isCut && !world.random.chance(world.weather.lostNotifications)) {
      world.after(world.delayMs(), () => process.deliver(() => hear(revocations)));
    }
  });

  return {
    process,
    wire,
    lease,
    cache,
    counters,
    renewEvery,
    catchUp: () => hear([]),
    registrations: () => registrations,
  };
}

export type SimulatedServer = ReturnType<typeof createServer>;
