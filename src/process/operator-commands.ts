import type { Readable, Writable } from "node:stream";
import type { Capability, Command, OperatorCommand } from "../capability.ts";
import { Database } from "../database/database.ts";
import { providePostgres } from "../database/provide-postgres.ts";
import type { Logger } from "../observe/log.ts";
import { schemaOf } from "./database-schema.ts";
import { forgetSecretCommand } from "./forget-secret-command.ts";
import { resealCommand } from "./reseal-command.ts";
import type { ServerConfig } from "./server-config.ts";
import { sealedRowsOf } from "./start-platform.ts";

/** Opening the database migrates its schema: nothing else is left to do. */
const migrateCommand: OperatorCommand = {
  summary:
    "Migrates the schema of the database and exits. Every start migrates too; use it if your deployment migrates in a step of its own.",
  async run({ onDatabase, write }) {
    await onDatabase(async () => undefined);
    write("The schema is up to date.\n");
  },
};

/**
 * The operator's commands, by name: the server's own and those of the capabilities. Throws `TypeError` if two have the same
 * name.
 */
export function commandsOf(capabilities: readonly Capability[]): ReadonlyMap<string, OperatorCommand<ServerConfig>> {
  const sealed = (settings: ServerConfig) => sealedRowsOf(capabilities, settings);
  const commands = new Map<string, OperatorCommand<ServerConfig>>();
  for (const [name, command] of [
    ...Object.entries<OperatorCommand<ServerConfig>>({ migrate: migrateCommand }),
    ...capabilities.flatMap(({ commands = {} }) => Object.entries(commands)),
    ...Object.entries({ reseal: resealCommand(sealed), "forget-secret": forgetSecretCommand(sealed) }),
  ]) {
    if (commands.has(name)) {
      throw new TypeError(`two capabilities have a command ${name}`);
    }
    commands.set(name, command);
  }
  return commands;
}

/** The context that a command runs in. */
export function commandContext(
  settings: ServerConfig,
  capabilities: readonly Capability[],
  terminal: {
    readonly logger: Logger;
    readonly options: Readonly<Record<string, string>>;
    readonly input: Readable & { readonly isTTY?: boolean };
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly write: (text: string) => void;
    readonly output: Writable;
    readonly terminal: Writable & { readonly isTTY?: boolean };
  },
): Command<ServerConfig> {
  return {
    ...terminal,
    settings,
    async onDatabase(work) {
      await using resources = new AsyncDisposableStack();
      const { connection, ...postgres } = await providePostgres(settings, () => {});
      resources.defer(() => postgres.stop());
      const database = await Database.open({ connection, logger: terminal.logger, ...schemaOf(capabilities) });
      resources.defer(() => database.close());
      return await work({ database, connection });
    },
  };
}
