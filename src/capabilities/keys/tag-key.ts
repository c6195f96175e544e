import type { Queryable } from "../../database/database.ts";

/**
 * The key of the tags in API keys. It belongs to the database, not to the master secret: keys must outlive every
 * rotation, and all that it protects is the server's time.
 */
export async function readTagKey(database: Queryable): Promise<Buffer> {
  const statement = { name: "read_tag_key", text: "SELECT value FROM installation WHERE name = 'api_key_tag'" };
  const [row] = await database.query<{ value: Buffer }>(statement, []);
  if (row === undefined) {
    throw new Error("the database has lost its table of installation secrets");
  }
  return row.value;
}
