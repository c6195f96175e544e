import type { EntitySchemaWithMeta, InferKyselyDB } from "@mikro-orm/postgresql";
import { CamelCasePlugin, type Compilable, type Kysely, sql } from "kysely";
import { type BoundStatement, camelCaseRows } from "./statement.ts";

/**
 * The tables of entities, for queries: their columns have the names and types of the entities' properties.
 *
 *     type AccountTables = TablesOf<typeof AccountEntity | typeof SessionEntity>;
 */
export type TablesOf<Entity extends EntitySchemaWithMeta> = Kysely<
  InferKyselyDB<Entity, { columnNamingStrategy: "property" }>
>;

/**
 * The time that servers compare: the database's. A sub-select is read once for each statement; the function alone would be called for each
 * row, and no index could be searched for what it returns.
 */
export const databaseTime = sql<Date>`(SELECT byond_now())`;

/** Builds a query on tables: a function of the ORM's Kysely. */
export type TableQuery<Tables, Row> = (tables: Kysely<Tables>) => Compilable<Row>;

/**
 * Between the names of properties and those of columns, by the rule of statements. The ORM's own plugin (7.2.1) leaves names
 * of columns as they are that come from an INSERT in a CTE.
 */
const naming = new CamelCasePlugin();

/** Has Kysely write a query, with its values beside the text. It has no name, so PostgreSQL plans it for each call. */
export function compileQuery<Tables, Row>(kysely: Kysely<Tables>, build: TableQuery<Tables, Row>): BoundStatement<Row> {
  const { sql, parameters } = build(kysely.withPlugin(naming)).compile();
  return { name: undefined, text: sql, values: parameters, rowsOf: camelCaseRows<Row> };
}
