import type { Readable, Writable } from "node:stream";
import { type Capability, type Command, CommandError, type OperatorCommand } from "../capability.ts";
import { type DatabaseRoutes, migrationRoute, sessionRoute } from "../database/check-routes.ts";
import { withClient } from "../database/connect.ts";
import { Database } from "../database/database.ts";
import { grantScript } from "../database/grants.ts";
import { migrate } from "../database/migrate.ts";
import { requireOneDatabase } from "../database/one-database.ts";
import { providePostgres, providePostgresToRead } from "../database/provide-postgres.ts";
import { withReadingSession } from "../database/reading-session.ts";
import type { Logger } from "../observe/log.ts";
import { afterRestoreCommand } from "./after-restore-command.ts";
import { schemaOf } from "./database-schema.ts";
import { doctorCommand } from "./doctor/doctor-command.ts";
import { forgetSecretCommand } from "./forget-secret-command.ts";
import { resealCommand } from "./reseal-command.ts";
import type { ServerConfig } from "./server-config.ts";
import { serversCommand } from "./servers/servers-command.ts";
import { sealedRowsOf } from "./start-platform.ts";
import { topCommand } from "./top/top-command.ts";

const migrateCommand = (capabilities: readonly Capability[]): OperatorCommand<ServerConfig> => ({
  summary:
    "Migrates the schema of the database and exits. Every start migrates too; use it if your deployment migrates in a step of its own.",
  run: ({ settings, logger, write }) =>
    onPostgres(settings, async (routes) => {
      await requireOneDatabase(routes);
      await migrate({ connection: migrationRoute(routes), logger, ...schemaOf(capabilities) });
      write("The schema is up to date.\n");
    }),
});

/** It connects as the owner of the tables: the role may have no rights yet. */
const grantsCommand: OperatorCommand<ServerConfig> = {
  summary:
    "Prints the SQL that gives a role the rights of a server, and no others. With DATABASE_DIRECT_URL also the settings that its sessions need behind a pooler.",
  options: { role: { value: "role", meaning: "The role of DATABASE_URL.", isRequired: true } },
  run: ({ settings, options: { role = "" }, write }) =>
    onPostgres(settings, (routes) =>
      withClient("grants", migrationRoute(routes), async (client) => {
        const found = await grantScript(client, role, { pooled: routes.direct !== undefined });
        if ("problem" in found) {
          throw new CommandError(found.problem);
        }
        write(found.script);
      }),
    ),
};

/** Runs work that connects by itself, with the embedded PostgreSQL started for it. */
async function onPostgres(settings: ServerConfig, work: (routes: DatabaseRoutes) => Promise<void>): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const { routes, ...postgres } = await providePostgres(settings, () => {});
  resources.defer(() => postgres.stop());
  await work(routes);
}

/**
 * The operator's commands, by name: the server's own and those of the capabilities. Throws `TypeError` if two have the same
 * name.
 */
export function commandsOf(capabilities: readonly Capability[]): ReadonlyMap<string, OperatorCommand<ServerConfig>> {
  const sealed = (settings: ServerConfig) => sealedRowsOf(capabilities, settings);
  const commands = new Map<string, OperatorCommand<ServerConfig>>();
  for (const [name, command] of [
    ...Object.entries<OperatorCommand<ServerConfig>>({
      doctor: doctorCommand(capabilities),
      servers: serversCommand(capabilities),
      top: topCommand,
      migrate: migrateCommand(capabilities),
      grants: grantsCommand,
      "after-restore": afterRestoreCommand(capabilities),
    }),
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
    async readDatabase(work) {
      const postgres = await providePostgresToRead(settings);
      if (postgres === undefined) {
        throw new CommandError("DATA_DIR has no database yet: the first start of a server makes it.");
      }
      await using resources = new AsyncDisposableStack();
      resources.defer(() => postgres.stop());
      return await withReadingSession(sessionRoute(postgres.routes), "operator", work);
    },
    async onDatabase(work) {
      await using resources = new AsyncDisposableStack();
      const { routes, ...postgres } = await providePostgres(settings, () => {});
      resources.defer(() => postgres.stop());
      const database = await Database.open({ ...routes, logger: terminal.logger, ...schemaOf(capabilities) });
      resources.defer(() => database.close());
      return await work({ database, connection: sessionRoute(routes) });
    },
  };
}
