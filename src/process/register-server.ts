import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Keyring } from "../crypto/keyring.ts";
import { findNeededSecrets, type NeededSecret, noteSecretInUse, type SealedRows } from "../crypto/master-secret-use.ts";
import type { Database, Queryable } from "../database/database.ts";
import { holderOfLock } from "../database/migration-lock.ts";
import { array, statement, text } from "../database/statement.ts";
import type { Logger } from "../observe/log.ts";
import { clockOffsetMs, maxClockOffsetMs } from "../revocation/clock-and-secret-check.ts";
import { disagrees, epochMs } from "../revocation/revocation-store.ts";

/** Held while a server looks at the others and joins them: of two that start together, one sees the other. */
const joiningLock = 7_269_341_952;

/** Longer than the row of a server that was killed counts: whoever takes its place may have other secrets. */
const patienceMs = 6_000;
const retryAfterMs = 100;
/** For its turn, where many start together. */
const turnPatienceMs = 60_000;
/** While others have the turn, the log says who, this often. */
const reportEveryMs = 5_000;

/** Whoever joins does that over another connection: on a busy machine, for longer than other transactions may stand still. */
const tryLock = statement<{ isLocked: boolean }>("lock_joining")(
  {},
  () => `
    SELECT
      pg_try_advisory_xact_lock(${joiningLock}) AS is_locked,
      set_config('idle_in_transaction_session_timeout', '60000', true)`,
);

const findHolder = statement<{ holder: object }>("holder_of_joining")({}, () => holderOfLock(joiningLock));

const look = statement<{ nowMs: number; disagreeing: OtherServer[] }>("look_at_servers")(
  { secretIds: array(text) },
  (p) => `
    SELECT
      ${epochMs("byond_now()")} AS now_ms,
      coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', id, 'secretIds', secret_ids)) FROM server
        WHERE ${disagrees("server", p.secretIds)}
      ), '[]') AS disagreeing`,
);

interface OtherServer {
  readonly id: string;
  readonly secretIds: readonly string[];
}

/** Others were joining for as long as a server waits. */
export class RegistrationTimeout extends Error {
  override readonly name = "RegistrationTimeout";
}

export interface RegistrationOptions {
  readonly database: Pick<Database, "transaction" | "run">;
  readonly logger: Logger;
  readonly keyring: Keyring;
  /** What servers seal with the secrets. */
  readonly sealed: readonly SealedRows[];
  readonly clock: Clock;
  /** The setting, or the file, that holds the secrets. */
  readonly secretsAreIn: string;
}

/**
 * Runs `join`, which makes this server known to the others, if it fits them and their data. Throws `ConfigError` if there are
 * servers that disagree about the master secrets (`disagrees`), if rows need a secret that this one does not have, and if
 * its clock is too far from PostgreSQL's; `RegistrationTimeout` if it does not get its turn in a minute.
 */
export async function registerServer<T>(options: RegistrationOptions, join: () => Promise<T>): Promise<T> {
  const { database, clock, keyring } = options;
  let waitsForTurnSinceMs = clock.monotonicMs();
  let reportAtMs = waitsForTurnSinceMs + reportEveryMs;
  // The wait for a turn is none of it: the others' rows were not seen then.
  let disagreesSinceMs: number | undefined;
  for (;;) {
    const outcome = await database.transaction(async (transaction) => {
      const [row] = await transaction.run(tryLock, {});
      if (row?.isLocked !== true) {
        return "others are joining";
      }
      const disagreeing = await lookAtServers(transaction, options);
      if (disagreeing.length > 0) {
        return { disagreeing };
      }
      await requireNeededSecrets(transaction, options);
      await noteSecretInUse(transaction, keyring.current.id);
      return { joined: await join() };
    });
    const nowMs = clock.monotonicMs();
    if (outcome === "others are joining") {
      if (nowMs >= reportAtMs) {
        reportAtMs = nowMs + reportEveryMs;
        await reportWait(options, nowMs - waitsForTurnSinceMs);
      }
      if (nowMs - waitsForTurnSinceMs >= turnPatienceMs) {
        throw new RegistrationTimeout(
          `This server has waited ${turnPatienceMs / 1_000} seconds for other servers to finish their starts, one at a time. Start it again; if held_by in the lines before this one is the same connection throughout, end that: SELECT pg_terminate_backend(<pid>)`,
        );
      }
    } else if ("joined" in outcome) {
      return outcome.joined;
    } else {
      waitsForTurnSinceMs = nowMs;
      disagreesSinceMs ??= nowMs;
      if (nowMs - disagreesSinceMs >= patienceMs) {
        throw new ConfigError(outcome.disagreeing.map((other) => explainDisagreement(options, other)));
      }
    }
    await pause(retryAfterMs);
  }
}

async function reportWait({ database, logger }: RegistrationOptions, waitedMs: number): Promise<void> {
  const [row] = await database.run(findHolder, {});
  logger.warn("waiting for other servers to start", {
    waited_seconds: Math.round(waitedMs / 1_000),
    held_by: row?.holder ?? null,
  });
}

async function lookAtServers(
  transaction: Queryable,
  { keyring, clock }: RegistrationOptions,
): Promise<readonly OtherServer[]> {
  const sentAtMs = clock.now().getTime();
  const [seen] = await transaction.run(look, { secretIds: idsOf(keyring) });
  const offsetMs = seen === undefined ? 0 : clockOffsetMs(seen.nowMs, sentAtMs, clock.now().getTime());
  if (Math.abs(offsetMs) > maxClockOffsetMs) {
    const seconds = Math.round(Math.abs(offsetMs) / 1_000);
    throw new ConfigError([
      `the clock of PostgreSQL is ${seconds} seconds ${offsetMs > 0 ? "ahead of" : "behind"} that of this machine: signed requests would be refused, and sessions of other servers. Set both (NTP)`,
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

/** Of the secrets, the current one first. */
function idsOf({ all }: Keyring): string[] {
  return all.map(({ id }) => id);
}

function explainDisagreement({ keyring, secretsAreIn }: RegistrationOptions, { id, secretIds }: OtherServer): string {
  const [theirs = ""] = secretIds;
  const ours = keyring.current.id;
  const reason =
    keyring.find(theirs) === undefined
      ? `it writes with the secret ${theirs}, which this server does not have`
      : `this server would write with the secret ${ours}, which that one does not have`;
  return `${secretsAreIn} does not fit the server ${id}, which runs on this database: ${reason}. Replace a secret in steps, each on every server before the next: "old,new", "new,old", "new"`;
}

function explainNeed({ secretsAreIn }: RegistrationOptions, { id, needs }: NeededSecret): string {
  return `${secretsAreIn} lacks the secret ${id}: ${needs.join("; ")}. Keep it as the last of the list until then, or until byond reseal has run; if it is lost, npm run forget-secret -- --id ${id} erases what they hold`;
}
