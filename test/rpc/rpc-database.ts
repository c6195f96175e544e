import { Database } from "../../src/database/database.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { standardSchema } from "../support/schema.ts";
import { querySql } from "../support/sql.ts";

/** A migrated database whose clock (`byond_now`) shows what a test sets, for every connection. */
export interface RpcDatabase {
  readonly database: Database;
  /** Sets the clock; it stands still between two calls. */
  setNowMs(ms: number): Promise<void>;
  close(): Promise<void>;
}

export async function openRpcDatabase(): Promise<RpcDatabase> {
  const { url, drop } = await createMigratedDatabase();
  const database = await Database.open({
    connection: await connectionTo(url),
    logger: captureLog().logger,
    ...standardSchema,
  });
  await run("CREATE TABLE test_clock (now timestamptz NOT NULL)");
  await run("INSERT INTO test_clock VALUES (clock_timestamp())");
  await run(`
    CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT now FROM test_clock'`);

  async function run(text: string): Promise<void> {
    await querySql(database, { name: text.slice(0, 60), text }, []);
  }

  return {
    database,
    async setNowMs(ms) {
      const setClock = "UPDATE test_clock SET now = to_timestamp($1::float8 / 1000)";
      await querySql(database, { name: "set_test_clock", text: setClock }, [ms]);
    },
    async close() {
      await database.close();
      await drop();
    },
  };
}
