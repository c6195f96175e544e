import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import type { Client } from "pg";
import type { ConnectAsOwner } from "./ownership.ts";

/**
 * The role that the server connects as. It owns the database, and has no right beyond it: the owner of the cluster is a
 * superuser, whose SQL can run programs and read every file of this user, the environment of the server among them.
 */
const SERVER_ROLE = "byond_server";
const DATABASE = "byond";
const SCRAM_ITERATIONS = 4096;

/**
 * Makes the database and the role where they are missing, and gives the role what is in the database: older versions, and
 * those who restore a backup, made it as the owner of the cluster. Returns the URL to connect with; its password is new at
 * each start, and nowhere but in it.
 */
export async function prepareDatabase(port: number, connect: ConnectAsOwner): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  await withClient(await connect(port), async (client) => {
    const { rowCount: roles } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [SERVER_ROLE]);
    if (roles === 0) await client.query(`CREATE ROLE ${SERVER_ROLE}`);
    await client.query(
      `ALTER ROLE ${SERVER_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
       PASSWORD '${scramVerifier(password)}'`,
    );
    const { rowCount: databases } = await client.query("SELECT FROM pg_database WHERE datname = $1", [DATABASE]);
    if (databases === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    await client.query(`ALTER DATABASE ${DATABASE} OWNER TO ${SERVER_ROLE}`);
  });
  await withClient(await connect(port, DATABASE), (client) => client.query(giveEverything));
  return `postgres://${SERVER_ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/** What belongs to something else, as the sequence of a column, goes along with it. */
const giveEverything = `
  DO $$
  DECLARE
    each record;
  BEGIN
    ALTER SCHEMA public OWNER TO ${SERVER_ROLE};
    FOR each IN
      SELECT oid::regclass AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relowner <> '${SERVER_ROLE}'::regrole
        AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (
          SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype IN ('a', 'i')
            AND refclassid = 'pg_class'::regclass
        )
    LOOP
      EXECUTE format('ALTER TABLE %s OWNER TO ${SERVER_ROLE}', each.name);
    END LOOP;
    FOR each IN
      SELECT oid::regprocedure AS name FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND proowner <> '${SERVER_ROLE}'::regrole
    LOOP
      EXECUTE format('ALTER ROUTINE %s OWNER TO ${SERVER_ROLE}', each.name);
    END LOOP;
  END
  $$`;

async function withClient(client: Client, work: (client: Client) => Promise<unknown>): Promise<void> {
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** What PostgreSQL keeps of a password (RFC 5803): sent in its place, so that no log of statements has it. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, "sha256");
  const keyOf = (name: string) => createHmac("sha256", salted).update(name).digest();
  const storedKey = createHash("sha256").update(keyOf("Client Key")).digest();
  return [
    `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString("base64")}`,
    `${storedKey.toString("base64")}:${keyOf("Server Key").toString("base64")}`,
  ].join("$");
}
