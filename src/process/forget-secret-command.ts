import { type Command, CommandError, type OperatorCommand } from "../capability.ts";
import { createKeyring } from "../crypto/keyring.ts";
import { eraseRowsOf, type SealedRows } from "../crypto/master-secret-use.ts";
import type { Queryable } from "../database/database.ts";
import { statement, text } from "../database/statement.ts";
import { readSecrets } from "./master-secrets.ts";
import type { ServerConfig } from "./server-config.ts";

const listSecrets = statement<{ id: string }>("list_master_secrets")(
  {},
  () => "SELECT id FROM master_secret ORDER BY id",
);

/** Running servers that have the secret, which is therefore not lost. */
const readUsers = statement<{ id: string }>("read_servers_with_secret")(
  { secretId: text },
  (p) => `
    SELECT id FROM server
    WHERE ${p.secretId} = ANY (secret_ids) AND renewed_at > byond_now() - lease_ms * interval '2 milliseconds'`,
);

/**
 * `byond forget-secret`: erases what was sealed with a lost master secret, so that servers start without it.
 * Throws `CommandError` if the id is unknown, the secret is configured here, or a running server has it.
 */
export function forgetSecretCommand(
  sealedRowsOf: (settings: ServerConfig) => readonly SealedRows[],
): OperatorCommand<ServerConfig> {
  return {
    summary:
      "Erases what is sealed with a lost master secret, the recipients of verifications and the secrets of webhooks, which nobody can decrypt, so that servers start without it.",
    options: {
      id: { value: "id", meaning: "The id of the secret, from the error of the refused start.", isRequired: true },
    },
    run: (command) => forgetSecret(command, sealedRowsOf(command.settings)),
  };
}

async function forgetSecret(command: Command<ServerConfig>, sealed: readonly SealedRows[]): Promise<void> {
  const { id = "" } = command.options;
  await command.onDatabase(async ({ database }) => {
    if (createKeyring(await readSecrets(command.settings)).find(id) !== undefined) {
      throw new CommandError(`The secret ${id} is not lost: it is configured on this machine.`);
    }
    await requireUnused(database, id);
    const erased = await eraseRowsOf(database, sealed, id);
    command.write(`Erased what was sealed with it in ${erased} rows. Servers now start without the secret ${id}.\n`);
  });
}

async function requireUnused(database: Queryable, id: string): Promise<void> {
  const known = (await database.run(listSecrets, {})).map((secret) => secret.id);
  if (!known.includes(id)) {
    throw new CommandError(`No server has used the secret ${id}. Secrets in use: ${known.join(", ") || "none"}.`);
  }
  const users = await database.run(readUsers, { secretId: id });
  if (users.length > 0) {
    throw new CommandError(
      `The secret ${id} is not lost: the running server ${users[0]?.id} has it. Use byond reseal instead.`,
    );
  }
}
