import { type Command, CommandError, type OperatorCommand } from "../capability.ts";
import { createKeyring, type Keyring } from "../crypto/keyring.ts";
import { findNeededSecrets, resealRows, type SealedRows } from "../crypto/master-secret-use.ts";
import type { Queryable } from "../database/database.ts";
import { statement, text } from "../database/statement.ts";
import { readSecrets } from "./master-secrets.ts";
import type { ServerConfig } from "./server-config.ts";

/** Running servers that write with another secret: they would go on sealing rows with it, and may lack the current one. */
const readOthers = statement<{ id: string; secretId: string }>("read_servers_with_other_secret")(
  { currentId: text },
  (p) => `
    SELECT id, secret_ids[1] AS secret_id FROM server
    WHERE secret_ids[1] <> ${p.currentId} AND renewed_at > byond_now() - lease_ms * interval '2 milliseconds'`,
);

const reportEvery = 10_000;

/**
 * `byond reseal`: seals again, with the current master secret, what is sealed with the other configured ones, so that those can
 * be removed without waiting for RETENTION_DAYS. Throws `CommandError` if a server writes with another secret, if rows need a
 * secret that is not configured, or if some rows cannot be resealed yet.
 */
export function resealCommand(
  sealedRowsOf: (settings: ServerConfig) => readonly SealedRows[],
): OperatorCommand<ServerConfig> {
  return {
    summary:
      "Seals all stored recipients with the current master secret, so that the old one can be removed from BYOND_SECRET (new,old). Servers can keep running, except with the embedded PostgreSQL, which serves one process.",
    run: (command) => reseal(command, sealedRowsOf(command.settings)),
  };
}

async function reseal(command: Command<ServerConfig>, sealed: readonly SealedRows[]): Promise<void> {
  const { settings, write, onDatabase } = command;
  await onDatabase(async ({ database }) => {
    const keyring = createKeyring(await readSecrets(settings));
    const currentId = keyring.current.id;
    if (keyring.all.length < 2) {
      throw new CommandError('There is only one master secret. To reseal, set BYOND_SECRET to "new,old".');
    }
    await requireSameCurrent(database, currentId);
    await requireSecrets(database, sealed, keyring);
    let total = 0;
    const waitsUntil = await resealRows(database, sealed, keyring, (rows) => {
      total += rows;
      if (Math.floor(total / reportEvery) > Math.floor((total - rows) / reportEvery)) {
        write(`${total} rows sealed with the secret ${currentId} so far …\n`);
      }
    });
    await requireSameCurrent(database, currentId);
    write(`Sealed ${total} rows with the secret ${currentId}.\n`);
    if (waitsUntil !== undefined) {
      throw new CommandError(
        `Codes sealed with another secret are pending until ${waitsUntil.toISOString()}. Run the command again after that.`,
      );
    }
    write("Servers now start with this secret alone.\n");
  });
}

/** The same check as at the start of a server: what is sealed with a missing secret would be lost. */
async function requireSecrets(database: Queryable, sealed: readonly SealedRows[], { all }: Keyring): Promise<void> {
  const ids = all.map(({ id }) => id);
  const [needed] = await findNeededSecrets(database, sealed, ids);
  if (needed !== undefined) {
    throw new CommandError(`BYOND_SECRET lacks the secret ${needed.id}: ${needed.needs.join("; ")}.`);
  }
}

async function requireSameCurrent(database: Queryable, currentId: string): Promise<void> {
  const [other] = await database.run(readOthers, { currentId });
  if (other !== undefined) {
    throw new CommandError(
      `The server ${other.id} seals with the secret ${other.secretId}, not with ${currentId}: set BYOND_SECRET to "new,old" on every server first.`,
    );
  }
}
