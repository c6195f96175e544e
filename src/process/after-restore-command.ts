import { setTimeout as pause } from "node:timers/promises";
import { type Capability, type Command, CommandError, type OperatorCommand } from "../capability.ts";
import { createKeyring } from "../crypto/keyring.ts";
import { describeUsedSecrets } from "../crypto/master-secret-use.ts";
import type { Database } from "../database/database.ts";
import { statement } from "../database/statement.ts";
import { skipEventPositions } from "../events/skip-positions.ts";
import { findSecrets, secretsAreIn } from "./master-secrets.ts";
import { explainNeed } from "./register-server.ts";
import type { ServerConfig } from "./server-config.ts";
import { readLiveServers } from "./servers/live-servers.ts";
import { sealedRowsOf } from "./start-platform.ts";

/** The servers that ran when the backup was made renewed their leases until then. */
const readBackupTime = statement<{ at: Date | null }>("read_backup_time")(
  {},
  () => "SELECT max(renewed_at) AS at FROM server",
);

/** The row of a server that was killed a moment ago expires sooner. */
const patienceMs = 6_000;
const lookAgainMs = 200;

/**
 * `byond after-restore`: what has to be done once after an older backup was restored, before servers start. Throws `CommandError` if servers
 * run, or if the backup was made with a secret that is not configured; then nothing was changed.
 */
export function afterRestoreCommand(capabilities: readonly Capability[]): OperatorCommand<ServerConfig> {
  return {
    summary:
      "Run it once after you have restored a backup, before servers start: checks the secret against the rows, ends all sessions, and lists the keys that are valid, since the backup does not know what was revoked after it.",
    options: {
      keys: { value: "file", meaning: "Writes the keys that are valid into this file, as CSV." },
      revoked: {
        value: "file",
        meaning:
          "Revokes again the keys in this file, one on each line: its id, or its prefix. Other columns of a CSV are ignored.",
      },
    },
    run: (command) => afterRestore(command, capabilities),
  };
}

async function afterRestore(command: Command<ServerConfig>, capabilities: readonly Capability[]): Promise<void> {
  const { settings, options, write, onDatabase } = command;
  await onDatabase(async ({ database }) => {
    await requireNoServers(database);
    await requireSecrets(database, settings, capabilities);
    const [backup] = await database.run(readBackupTime, {});
    const said: string[] = [];
    for (const capability of capabilities) {
      said.push(...((await capability.afterRestore?.({ database, options })) ?? []));
    }
    await database.run(skipEventPositions, {});
    const at = backup?.at ?? undefined;
    const made = at === undefined ? "" : `The backup was made at ${at.toISOString()} or a little later. `;
    write(
      [
        "The secret fits the backup.",
        ...said,
        "New events get higher positions than any reader has seen.",
        "",
        `${made}What happened after it is gone. Before you let clients in:`,
        "  - revoke again the keys that were revoked since (--revoked <file>), and restrict again those that were restricted",
        "  - erase again the recipients and delete again the accounts that were erased since",
        "  - book again the top-ups since (byond top-up), and change passwords again that had become known",
        'docs/guides/operations.md, "A backup is restored", says how to find them. Then start the servers.',
        "",
      ].join("\n"),
    );
  });
}

async function requireNoServers(database: Database): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const running = await database.run(readLiveServers, {});
    if (running.length === 0) {
      return;
    }
    if (performance.now() > deadline) {
      const ids = running.map(({ id }) => id).join(", ");
      throw new CommandError(`Servers run on this database: ${ids}. Stop them first. Nothing was changed.`);
    }
    await pause(lookAgainMs);
  }
}

async function requireSecrets(
  database: Database,
  config: ServerConfig,
  capabilities: readonly Capability[],
): Promise<void> {
  const secrets = await findSecrets(config);
  const known = secrets === undefined ? [] : createKeyring(secrets).all.map(({ id }) => id);
  const used = await describeUsedSecrets(database, sealedRowsOf(capabilities, config), (id) => !known.includes(id));
  const needed = used.find(({ needs }) => needs.length > 0);
  if (needed !== undefined) {
    const need = explainNeed({ secretsAreIn: secretsAreIn(config) }, needed);
    throw new CommandError(`The backup belongs to another secret: ${need}. Nothing was changed.`);
  }
}
