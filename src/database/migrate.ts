import { Migrator } from "@mikro-orm/migrations";
import { MikroORM } from "@mikro-orm/postgresql";
import type pg from "pg";
import type { Logger } from "../observe/log.ts";
import { readSchema, requireMigratable } from "./applied-migrations.ts";
import { checkDatabase } from "./check-database.ts";
import { requireSession } from "./check-routes.ts";
import { withClient } from "./connect.ts";
import { connectionFor, type PostgresConnection } from "./connection.ts";
import { takeMigrationLock } from "./migration-lock.ts";
import { ormOptions } from "./orm-options.ts";
import type { Schema } from "./schema.ts";
import { applySessionSettings } from "./session-settings.ts";

/** PostgreSQL refused a migration. Those before it are kept. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
  /** The SQLSTATE, or the error code of the network. */
  readonly code: unknown;
  /** The setting that leads to the database. */
  readonly setting: string;

  /** `migration`: undefined before the first one. */
  constructor(migration: string | undefined, cause: unknown, setting: string) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(migration === undefined ? reason : `the migration ${migration} failed: ${reason}`, { cause });
    this.setting = setting;
    this.code = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
  }
}

/** Removes the time-outs of a session: those of the role, the database or the URL are not meant for migrations. */
const withoutTimeouts = `
  SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN (
    'statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout'
  )`;

/**
 * Runs the migrations, under an advisory lock on a connection of its own. Each migration is a transaction: its locks end before the
 * next one begins, and a failure does not undo the ones before. A migration takes as long as it needs. Throws `DatabaseConnectionError` if there is no connection, `UnsuitableDatabaseError` if it leads to a database that
 * cannot be used, `EarlierSchemaError` if its schema was made by migrations that exist no more, and `MigrationError` if PostgreSQL refuses one.
 */
export async function migrate(
  options: Schema & { readonly connection: PostgresConnection; readonly logger: Logger },
): Promise<void> {
  const purpose = "migrations";
  const connection = connectionFor(purpose, options.connection);
  const run = async (client: pg.Client) => {
    await client.query(withoutTimeouts);
    await checkDatabase(client, connection.setting);
    await requireSession(client, options.connection);
    await takeMigrationLock(client, options.logger);
    const query = async <Row extends object>(text: string) => (await client.query<Row>(text)).rows;
    if (!requireMigratable(await readSchema(query, options, connection.setting), connection.setting)) {
      return;
    }
    const orm = new MikroORM({
      ...ormOptions({ ...connection }, options.logger, applySessionSettings),
      entities: [],
      pool: { min: 0, max: 1 },
      extensions: [Migrator],
      migrations: {
        migrationsList: [...options.migrations],
        allOrNothing: false,
        snapshot: false,
        silent: true,
        tableName: "schema_migration",
      },
    });
    try {
      // The pool has one connection, so it holds for the migrations.
      await orm.em.getConnection().execute(withoutTimeouts);
      try {
        await orm.migrator.up();
      } catch (error) {
        const [failed] = await orm.migrator.getPending().catch(() => []);
        throw new MigrationError(failed?.name, error, connection.setting);
      }
    } finally {
      await orm.close(true);
    }
  };
  await withClient(purpose, options.connection, run, {});
}
