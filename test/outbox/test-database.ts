import { Database } from "../../src/database/database.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { createTestDatabase, ensureTemplate } from "../support/postgres.ts";
import { standardSchema } from "../support/schema.ts";

/** A database of its own with the schema in place, and a connection to it. */
export interface TestConnection {
  readonly url: string;
  readonly database: Database;
  close(): Promise<void>;
}

export async function openTestDatabase(): Promise<TestConnection> {
  const open = async (url: string) =>
    Database.open({ connection: await connectionTo(url), logger: captureLog().logger, ...standardSchema });
  const template = await ensureTemplate("byond_migrated", async (url) => {
    await (await open(url)).close();
  });
  const { url, drop } = await createTestDatabase(template);
  const database = await open(url);
  return {
    url,
    database,
    async close() {
      await database.close();
      await drop();
    },
  };
}
