import { Client } from "pg";
import { grantScript } from "../../src/database/grants.ts";

/** Runs what `byond grants` prints, as an administrator, in a database. Returns the script. */
export async function grant(databaseUrl: string, role: string, pooled = false): Promise<string> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const found = await grantScript(client, role, { pooled });
    if ("problem" in found) {
      throw new Error(found.problem);
    }
    await client.query(found.script);
    return found.script;
  } finally {
    await client.end();
  }
}
