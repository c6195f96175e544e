import type { Readable } from "node:stream";
import type { Capability, Command, OperatorCommand } from "../capability.ts";
import { Database } from "../database/database.ts";
import { providePostgres } from "../database/provide-postgres.ts";
import type { Logger } from "../observe/log.ts";
import type { ServerConfig } from "./config.ts";
import { runForgetSecret } from "./forget-secret-command.ts";
import { sealedRowsOf } from "./platform.ts";
import { schemaOf } from "./schema.ts";

/** The operator's commands, by name: the server's own and those of the capabilities. */
export function commandsOf(capabilities: readonly Capability[]): ReadonlyMap<string, OperatorCommand<ServerConfig>> {
  return new Map<string, OperatorCommand<ServerConfig>>([
    ...capabilities.flatMap(({ commands = {} }) => Object.entries(commands)),
    ["forget-secret", { run: (command) => runForgetSecret(command, sealedRowsOf(capabilities, command.settings)) }],
  ]);
}

/** What a command works with. */
export function commandContext(
  settings: ServerConfig,
  capabilities: readonly Capability[],
  terminal: {
    readonly logger: Logger;
    readonly args: readonly string[];
    readonly input: Readable & { readonly isTTY?: boolean };
    readonly write: (text: string) => void;
  },
): Command<ServerConfig> {
  return {
    ...terminal,
    settings,
    async onDatabase(work) {
      await using resources = new AsyncDisposableStack();
      const { connection, ...postgres } = await providePostgres(settings.database, () => {});
      resources.defer(() => postgres.stop());
      const database = await Database.open({ connection, logger: terminal.logger, ...schemaOf(capabilities) });
      resources.defer(() => database.close());
      return await work({ database, connection });
    },
  };
}
