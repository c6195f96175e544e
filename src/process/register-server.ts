import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Keyring } from "../crypto/keyring.ts";
import { findNeededSecrets, type NeededSecret, noteSecretInUse, type SealedRows } from "../crypto/master-secret-use.ts";
import type { Database, Queryable } from "../database/database.ts";
import { holderOfLock } from "../database/migration-lock.ts";
import { array, statement, text } from "../database/statement.ts";
import type { Logger } from "../observe/log.ts";
import { clockOffsetMs } from "../revocation/clock-offset.ts";
import { maxClockOffsetMs } from "../revocation/revocation.policy.ts";
import { disagrees, epochMs } from "../revocation/revocation-store.ts";

/** Advisory lock, held while a server checks the others and registers: of two that start together, the second sees the first. */
const registrationLock = 7_269_341_952;

/** How long a disagreement may last. The row of a killed server expires sooner, so that one with other secrets can replace it. */
const disagreementTimeoutMs = 6_000;
const retryAfterMs = 100;
/** How long to wait for the lock while other servers start. */
const lockTimeoutMs = 60_000;
/** How often the log names the holder of the lock while this server waits. */
const reportEveryMs = 5_000;

/** `register` uses another connection. On a busy machine it takes longer than transactions may usually be idle. */
const tryLock = statement<{ isLocked: boolean }>("lock_registration")(
  {},
  () => `
    SELECT
      pg_try_advisory_xact_lock(${registrationLock}) AS is_locked,
      set_config('idle_in_transaction_session_timeout', '60000', true)`,
);

const findHolder = statement<{ holder: object }>("read_registration_lock_holder")({}, () =>
  holderOfLock(registrationLock),
);

export const readOtherServers = statement<{ nowMs: number; disagreeing: OtherServer[] }>("read_other_servers")(
  { secretIds: array(text) },
  (p) => `
    SELECT
      ${epochMs("byond_now()")} AS now_ms,
      coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', id, 'secretIds', secret_ids)) FROM server
        WHERE ${disagrees("server", p.secretIds)}
      ), '[]') AS disagreeing`,
);

export interface OtherServer {
  readonly id: string;
  readonly secretIds: readonly string[];
}

/** Other servers held the registration lock for too long. */
export class RegistrationTimeout extends Error {
  override readonly name = "RegistrationTimeout";
}

export interface RegistrationOptions {
  readonly database: Pick<Database, "transaction" | "run">;
  readonly logger: Logger;
  readonly keyring: Keyring;
  /** The kinds of rows that servers seal with the secrets. */
  readonly sealed: readonly SealedRows[];
  readonly clock: Clock;
  /** Where the secrets are configured, for messages: the setting, or the file. */
  readonly secretsAreIn: string;
}

/**
 * Checks that this server agrees with the running servers and with the data, then registers it with `register`. Throws
 * `ConfigError` if running servers have other master secrets (`disagrees`), if rows need a secret that this server lacks, or if
 * its clock is too far from PostgreSQL's; `RegistrationTimeout` if the lock is not free within a minute.
 */
export async function registerServer<T>(options: RegistrationOptions, register: () => Promise<T>): Promise<T> {
  const { database, clock, keyring } = options;
  let waitsForLockSinceMs = clock.monotonicMs();
  let reportAtMs = waitsForLockSinceMs + reportEveryMs;
  // Waiting for the lock does not count: the other servers' rows were not read then.
  let disagreesSinceMs: number | undefined;
  for (;;) {
    const outcome = await database.transaction(async (transaction) => {
      const [row] = await transaction.run(tryLock, {});
      if (row?.isLocked !== true) {
        return "locked";
      }
      const disagreeing = await findDisagreeingServers(transaction, options);
      if (disagreeing.length > 0) {
        return { disagreeing };
      }
      await requireNeededSecrets(transaction, options);
      await noteSecretInUse(transaction, keyring.current.id);
      return { registered: await register() };
    });
    const nowMs = clock.monotonicMs();
    if (outcome === "locked") {
      if (nowMs >= reportAtMs) {
        reportAtMs = nowMs + reportEveryMs;
        await reportWait(options, nowMs - waitsForLockSinceMs);
      }
      if (nowMs - waitsForLockSinceMs >= lockTimeoutMs) {
        throw new RegistrationTimeout(
          `Other servers were starting for ${lockTimeoutMs / 1_000} seconds, and servers join one at a time. Start this server again. If held_by in the log lines before this message is always the same connection, end it: SELECT pg_terminate_backend(<pid>)`,
        );
      }
    } else if ("registered" in outcome) {
      return outcome.registered;
    } else {
      waitsForLockSinceMs = nowMs;
      disagreesSinceMs ??= nowMs;
      if (nowMs - disagreesSinceMs >= disagreementTimeoutMs) {
        throw new ConfigError(outcome.disagreeing.map((other) => explainDisagreement(options, other)));
      }
    }
    await pause(retryAfterMs);
  }
}

async function reportWait({ database, logger }: RegistrationOptions, waitedMs: number): Promise<void> {
  const [row] = await database.run(findHolder, {});
  logger.warn("waiting_for_other_servers", {
    waited_seconds: Math.round(waitedMs / 1_000),
    held_by: row?.holder ?? null,
  });
}

/** The running servers with other secrets. Throws `ConfigError` if this machine's clock is too far from PostgreSQL's. */
async function findDisagreeingServers(
  transaction: Queryable,
  { keyring, clock }: RegistrationOptions,
): Promise<readonly OtherServer[]> {
  const sentAtMs = clock.now().getTime();
  const [seen] = await transaction.run(readOtherServers, { secretIds: idsOf(keyring) });
  const offsetMs = seen === undefined ? 0 : clockOffsetMs(seen.nowMs, sentAtMs, clock.now().getTime());
  if (Math.abs(offsetMs) > maxClockOffsetMs) {
    const seconds = Math.round(Math.abs(offsetMs) / 1_000);
    throw new ConfigError([
      `the clock of PostgreSQL is ${seconds} seconds ${offsetMs > 0 ? "ahead of" : "behind"} that of this machine: signed requests and sessions of other servers would be refused. Run NTP on both machines`,
    ]);
  }
  return seen?.disagreeing ?? [];
}

async function requireNeededSecrets(transaction: Queryable, options: RegistrationOptions): Promise<void> {
  const needed = await findNeededSecrets(transaction, options.sealed, idsOf(options.keyring));
  if (needed.length > 0) {
    throw new ConfigError(needed.map((secret) => explainNeed(options, secret)));
  }
}

/** The ids of the secrets, the current one first. */
function idsOf({ all }: Keyring): string[] {
  return all.map(({ id }) => id);
}

export function explainDisagreement(
  { keyring, secretsAreIn }: Pick<RegistrationOptions, "keyring" | "secretsAreIn">,
  { id, secretIds }: OtherServer,
): string {
  const [theirs = ""] = secretIds;
  const ours = keyring.current.id;
  const reason =
    keyring.find(theirs) === undefined
      ? `it seals with the secret ${theirs}, which this server does not have`
      : `this server would seal with the secret ${ours}, which that server does not have`;
  return `${secretsAreIn} does not fit the server ${id}, which runs on this database: ${reason}. Rotate a secret in steps, and complete each step on every server before the next: "old,new", "new,old", "new"`;
}

export function explainNeed(
  { secretsAreIn }: Pick<RegistrationOptions, "secretsAreIn">,
  { id, needs }: NeededSecret,
): string {
  return `${secretsAreIn} lacks the secret ${id}: ${needs.join("; ")}. Keep it last in the list until then, or run byond reseal. If it is lost, erase these rows with npm run forget-secret -- --id ${id}`;
}
