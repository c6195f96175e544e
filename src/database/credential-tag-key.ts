import type { Queryable } from "./database.ts";
import { statement } from "./statement.ts";

const read = statement<{ value: Buffer }>("read_tag_key")(
  {},
  () => "SELECT value FROM installation WHERE name = 'api_key_tag'",
);

/**
 * The key of the tags in API keys. It belongs to the database, not to the master secret: keys must outlive every
 * rotation, and all that it protects is the server's time.
 */
export async function readTagKey(database: Queryable): Promise<Buffer> {
  const [row] = await database.run(read, {});
  if (row === undefined) {
    throw new Error("the database has lost its table of installation secrets");
  }
  return row.value;
}
