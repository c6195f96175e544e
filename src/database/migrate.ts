import { Migrator } from "@mikro-orm/migrations";
import { MikroORM } from "@mikro-orm/postgresql";
import pg from "pg";
import type { Logger } from "../log.ts";
import { checkDatabase } from "./check-database.ts";
import { connectionFor, type PostgresConnection } from "./connection.ts";
import { DatabaseConnectionError } from "./connection-error.ts";
import { takeMigrationLock } from "./migration-lock.ts";
import { migrations } from "./migrations/index.ts";
import { ormOptions } from "./orm-options.ts";

/**
 * Brings the schema up to date under an advisory lock of a connection of its own. The ORM that does it has no limit for
 * statements: a migration takes as long as it needs. Throws `DatabaseConnectionError` if there is no connection, and
 * `UnsuitableDatabaseError` if it leads to a database that cannot be used.
 */
export async function migrate(options: {
  readonly connection: PostgresConnection;
  readonly logger: Logger;
}): Promise<void> {
  const connection = connectionFor("migrations", options.connection);
  const client = new pg.Client({ ...connection });
  // Without a listener, a lost connection would end the process; the statements below fail by themselves then.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    throw new DatabaseConnectionError(error, connection);
  }
  try {
    await checkDatabase(client);
    await takeMigrationLock(client, options.logger);
    const orm = await MikroORM.init({
      ...ormOptions({ ...connection }, options.logger),
      entities: [],
      pool: { min: 0, max: 1 },
      extensions: [Migrator],
      migrations: { migrationsList: [...migrations], snapshot: false, silent: true, tableName: "schema_migration" },
    });
    try {
      await orm.migrator.up();
    } finally {
      await orm.close(true);
    }
  } finally {
    await client.end();
  }
}
