import type { MigrationObject } from "@mikro-orm/core";
import type pg from "pg";
import { UnsuitableDatabaseError } from "./check-database.ts";

/** The schema was made by migrations from before the first release, which no later version brings up to date. */
export class EarlierSchemaError extends Error {
  override readonly name = "EarlierSchemaError";
}

interface Applied {
  readonly names: readonly string[];
  readonly owner: string;
  readonly may_migrate: boolean;
}

/**
 * Reads which migrations have run, under the migration lock. Returns whether any are left to run. Throws `UnsuitableDatabaseError` if
 * only another role may run them, and what `refuseEarlierSchema` throws.
 */
export async function isBehind(
  client: pg.Client,
  migrations: readonly MigrationObject[],
  setting: string,
): Promise<boolean> {
  const table = await client.query("SELECT FROM pg_class WHERE oid = to_regclass('schema_migration')");
  if (table.rowCount === 0) {
    return true;
  }
  const { rows } = await client.query<Applied>(`
    SELECT ARRAY(SELECT name::text FROM schema_migration) AS names,
      relowner::regrole::text AS owner, pg_has_role(relowner, 'USAGE') AS may_migrate
    FROM pg_class WHERE oid = to_regclass('schema_migration')`);
  const { names = [], owner, may_migrate } = rows[0] ?? {};
  refuseEarlierSchema(names, migrations);
  const pending = migrations.map(({ name }) => name).filter((name) => !names.includes(name));
  if (pending.length > 0 && may_migrate !== true) {
    throw new UnsuitableDatabaseError(
      `its schema lacks ${pending.length} migrations, the first of which is ${pending[0]}, and only ${owner} may run them: set DATABASE_MIGRATION_URL to its URL, or run byond migrate with it.`,
      setting,
    );
  }
  return pending.length > 0;
}

/**
 * The first of all migrations tells schemas of this generation from earlier ones: throws `EarlierSchemaError` where others were run,
 * and not this one. Newer versions may have run some that are unknown here.
 */
function refuseEarlierSchema(applied: readonly string[], [first]: readonly MigrationObject[]): void {
  if (applied.length > 0 && first !== undefined && !applied.includes(first.name)) {
    throw new EarlierSchemaError("its schema is from a version before the first release, which cannot be migrated");
  }
}
