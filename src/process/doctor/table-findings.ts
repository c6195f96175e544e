import { UnderscoreNamingStrategy } from "@mikro-orm/core";
import pg from "pg";
import { listed } from "../../database/applied-migrations.ts";
import type { ReadingSession } from "../../database/reading-session.ts";
import type { Schema } from "../../database/schema.ts";
import type { Finding } from "../../finding.ts";

/** As the ORM names the columns, unless an entity does. */
const naming = new UnderscoreNamingStrategy();

/** Tables and columns that are gone, as after a restore in part: migrations do not make them again. For a schema that is up to date. */
export async function tableFindings(
  session: Pick<ReadingSession, "query">,
  { entities }: Pick<Schema, "entities">,
): Promise<Finding[]> {
  const wanted = entities.map(({ meta }) => ({
    table: meta.tableName,
    columns: Object.entries(meta.properties).map(
      ([name, { fieldNames }]) => fieldNames?.[0] ?? naming.propertyToColumnName(name),
    ),
  }));
  const rows = await session.query<{ missing: string }>(`
    SELECT DISTINCT CASE WHEN oid IS NULL THEN "table" ELSE "table" || '.' || "column" END AS missing
    FROM json_to_recordset(${pg.escapeLiteral(JSON.stringify(wanted))}) AS wanted ("table" text, columns json),
      json_array_elements_text(columns) AS "column", to_regclass(quote_ident("table")) AS oid
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = oid AND attname = "column" AND NOT attisdropped)
    ORDER BY missing`);
  return rows.length === 0
    ? []
    : [
        {
          about: "tables",
          verdict: "fault",
          found: `the schema lacks ${listed(rows.map(({ missing }) => missing))}, which migrations have made`,
          advice: "Something else has dropped it: restore a whole backup",
        },
      ];
}
