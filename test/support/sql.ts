import type pg from "pg";
import type { Queryable } from "../../src/database/database.ts";
import type { Statement } from "../../src/database/statement.ts";

/** Runs raw SQL with positional parameters, for a test's set-up and checks. Columns keep their names. */
export function querySql<Row extends object>(
  database: Pick<Queryable, "run">,
  { name, text }: { readonly name: string; readonly text: string },
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const rowsOf = ({ fields, rows }: pg.QueryArrayResult<unknown[]>) =>
    rows.map((row) => Object.fromEntries(row.map((value, index) => [fields[index]?.name, value])) as Row);
  const statement: Statement<readonly unknown[], Row> = {
    name,
    text,
    parameters: [],
    bind: (bound) => ({ name, text, values: bound, rowsOf }),
  };
  return database.run(statement, values);
}
