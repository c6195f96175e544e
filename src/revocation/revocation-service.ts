import { setTimeout as pause } from "node:timers/promises";
import { Histogram } from "prom-client";
import type { Clock } from "../clock.ts";
import { randomBase62 } from "../crypto/ids.ts";
import type { PostgresConnection } from "../database/connection.ts";
import type { Database, QueryableTables } from "../database/database.ts";
import type { Logger } from "../observe/log.ts";
import { AppliedRevocations, type RevocationBasis } from "./applied-revocations.ts";
import { ClockAndSecretCheck } from "./clock-and-secret-check.ts";
import { type CacheCounters, type CacheOptions, CredentialCache } from "./credential-cache.ts";
import { type HeldCredential, lockCredential } from "./held-credential.ts";
import { type Abort, InFlightCalls, type TrackedCall } from "./in-flight-calls.ts";
import { Lease } from "./lease.ts";
import { ListeningSession } from "./listening-session.ts";
import { defaultLeaseMs, renewalsPerLease } from "./revocation.policy.ts";
import { createLeaseStore, createRevokerStore, revocationChannel } from "./revocation-store.ts";
import { Revoker } from "./revoker.ts";

export interface RevocationOptions {
  readonly database: Pick<Database, "run" | "transaction">;
  /** Of the same database. One more connection is made. */
  readonly connection: PostgresConnection;
  /** Its monotonic clock has to keep real time, also where tests move the wall clock. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** The name of this server in the table `server`, for the operator. */
  readonly serverId: string;
  /** Of its master secrets, the current one first. Undefined: it seals nothing, as commands do not. */
  readonly secretIds?: readonly string[];
  /** JSON of what the operator is told of this server. Undefined: nothing. */
  readonly description?: string;
  /** How long this server may answer from memory after its last contact with the database. Default: `defaultLeaseMs`. */
  readonly leaseMs?: number;
  /**
   * Further channels that the connection listens to, so that a server has one such connection. Notifications are lost while there is
   * none.
   */
  readonly onNotification?: Readonly<Record<string, (payload: string) => void>>;
}

export interface RevocationMetrics {
  readonly leaseIsValid: boolean;
  readonly renewals: number;
  readonly failedRenewals: number;
  /** More than one: this server lost its row, after a long outage or a restart of PostgreSQL. */
  readonly registrations: number;
  readonly appliedRevocations: number;
  readonly abortedCalls: number;
  /** Servers that did not acknowledge before their lease expired, counted once for each revocation. */
  readonly unheardServers: number;
  readonly cache: Readonly<CacheCounters>;
  /** Other servers that disagree with this one about the master secrets. */
  readonly disagreeingServers: number;
  /** How far PostgreSQL's clock is ahead of this server's, at least. */
  readonly clockOffsetSeconds: number;
}

export interface RevokeOptions<T> {
  /** The credential of the caller. Default: the server acts by itself. */
  readonly credential?: HeldCredential;
  /** Whether the change, by its result, has to be applied on the other servers. Default: always. */
  readonly hasRevoked?: (result: T) => boolean;
  /**
   * For a change that ends its own credential, so that the credential cannot be checked afterwards: locks every row that the
   * change will touch. Then the credential is checked, and cannot end before the change; then the change is made.
   */
  readonly lockRows?: (transaction: QueryableTables) => Promise<unknown>;
}

/**
 * Revocations that are applied on every server when they are answered, without a database read for each request.
 *
 * ```ts
 * // Changes a key: when this resolves, no server admits a call by what the key was before.
 * await revocation.revoke([keySubject(id)], (transaction) => transaction.run(update, values), {
 *   credential: credentialOf(caller),
 * });
 *
 * // Looks a credential up, and ends the call if it is revoked meanwhile.
 * const found = await cache.get(prefix);
 * const call = revocation.track(found, (reason) => controller.abort(reason));
 * ```
 */
export interface RevocationService {
  /**
   * See `Revoker.revoke`. Throws `invalid_api_key` unless the caller's credential holds until the commit. Effects that depend on
   * the subjects are committed before the change, or not at all.
   */
  revoke<T>(
    subjects: readonly string[],
    change: (transaction: QueryableTables) => Promise<T>,
    options?: RevokeOptions<T>,
  ): Promise<T>;
  /** Applies what is revoked by now. Never rejects: if the database fails, the next renewal catches up. */
  catchUp(): Promise<void>;
  /** See `Revoker.confirmEarlier`. */
  confirmEarlier(): Promise<void>;
  /** A cache of one kind of credential. */
  cache<T>(options: CacheOptions<T>): CredentialCache<T>;
  /** See `InFlightCalls.track`. */
  track(basis: RevocationBasis, abort: Abort): TrackedCall;
  metrics(): RevocationMetrics;
  /** From the commit of each revocation of this server until no server could accept the credential. */
  readonly acknowledgement: Histogram;
  /** From here on caches read the database. Removes the row of this server, so that no revocation waits for it. */
  stop(): Promise<void>;
}

/**
 * Takes part in the protocol of `docs/decisions/0007-revocation-leases.md`. Resolves after the first attempt to get a
 * lease. Until there is one, and whenever there is none, caches read the database.
 */
export async function startRevocation(options: RevocationOptions): Promise<RevocationService> {
  const { database, connection, clock, logger, serverId, leaseMs = defaultLeaseMs } = options;
  const counters = { renewals: 0, failedRenewals: 0, registrations: 0, appliedRevocations: 0, unheardServers: 0 };
  const cacheCounters: CacheCounters = { hits: 0, misses: 0, readsWithoutLease: 0, repeatedReads: 0 };
  const acknowledgement = new Histogram({
    name: "byond_revocation_acknowledgement_seconds",
    help: "From the commit of a revocation until no server could accept the credential.",
    registers: [],
  });

  const applied = new AppliedRevocations();
  applied.onApplied(() => {
    counters.appliedRevocations += 1;
  });
  const inFlight = new InFlightCalls(applied, logger);

  const session = new ListeningSession({
    connection,
    statementTimeoutMs: leaseMs,
    logger,
    onConnected: () => void renew(),
    onNotification: { ...options.onNotification, [revocationChannel]: () => void catchUp() },
  });
  const agreement = new ClockAndSecretCheck(logger);
  const wallMs = () => clock.now().getTime();
  const leaseStore = createLeaseStore(session, {
    secretIds: options.secretIds ?? null,
    description: options.description ?? null,
    onRenewed: (report, sentAtMs) => agreement.observe(report, sentAtMs, wallMs()),
    wallMs,
  });
  const lease = new Lease({
    store: leaseStore,
    applied,
    clock,
    leaseMs,
    createRegistrationId: () => {
      counters.registrations += 1;
      return `${serverId}.${randomBase62(12)}`;
    },
  });

  const revoker = new Revoker<QueryableTables>({
    store: createRevokerStore(database),
    clock,
    pause,
    patienceMs: leaseMs,
    onCommitted: () => void catchUp(),
    onConfirmed: (durationMs, unheardServers) => {
      acknowledgement.observe(durationMs / 1_000);
      counters.unheardServers += unheardServers;
      if (unheardServers > 0) {
        logger.warn("revocation_unacknowledged", { servers: unheardServers });
      }
    },
  });

  let isFailing = false;
  async function renew(): Promise<void> {
    try {
      await lease.renew();
      counters.renewals += 1;
      if (isFailing) {
        logger.info("lease_renewal_resumed");
      }
      isFailing = false;
    } catch (error) {
      counters.failedRenewals += 1;
      if (!isFailing) {
        logger.warn("lease_renewal_failed", {
          error,
        });
      }
      isFailing = true;
    }
  }

  function catchUp(): Promise<void> {
    // A renewal follows soon, and logs if the database cannot be reached.
    return lease.catchUp().catch(() => undefined);
  }

  await session.start();
  await renew();
  const renewing = setInterval(() => void renew(), leaseMs / renewalsPerLease);

  return {
    revoke: (subjects, change, { credential = null, hasRevoked = () => true, lockRows } = {}) =>
      revoker.revoke(
        (result) => (hasRevoked(result) ? subjects : []),
        async (transaction) => {
          if (lockRows !== undefined) {
            await lockRows(transaction);
            await lockCredential(transaction, credential, subjects);
            return change(transaction);
          }
          const result = await change(transaction);
          await lockCredential(transaction, credential, subjects);
          return result;
        },
      ),
    catchUp,
    confirmEarlier: () => revoker.confirmEarlier(),
    cache: (cacheOptions) => new CredentialCache({ lease, applied, counters: cacheCounters }, cacheOptions),
    track: (basis, abort) => inFlight.track(basis, abort),
    acknowledgement,
    metrics: () => ({
      leaseIsValid: lease.isValid(),
      ...counters,
      abortedCalls: inFlight.aborted,
      cache: { ...cacheCounters },
      disagreeingServers: agreement.disagreeingServers,
      clockOffsetSeconds: agreement.clockOffsetSeconds,
    }),
    async stop() {
      clearInterval(renewing);
      await lease.release().catch((error: unknown) => {
        // The next revocation waits until the lease has expired, and removes the row then.
        logger.warn("lease_release_failed", { error });
      });
      await session.stop();
    },
  };
}
