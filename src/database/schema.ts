import type { EntitySchema, MigrationObject } from "@mikro-orm/core";

/** Tables, as the ORM maps them, and the migrations that create them. */
export interface Schema {
  readonly entities: readonly EntitySchema[];
  /** In the order in which they are run, each once on every database. */
  readonly migrations: readonly MigrationObject[];
}
