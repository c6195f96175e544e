import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import type { Client } from "pg";
import type { ConnectAsOwner } from "./ownership.ts";

/**
 * The role that the server connects as. It owns the database and has no other right. The owner of the cluster is a superuser,
 * whose SQL can run programs and read every file of this user, the environment of the server included.
 */
const SERVER_ROLE = "byond_server";
const DATABASE = "byond";
const SCRAM_ITERATIONS = 4096;

/**
 * Creates the database and the role if they are missing. Returns the URL to connect with; its password is new at each start
 * and stored nowhere else.
 *
 * An attacker with SQL of the role owns the database and its settings, and may have left functions in it for a superuser to
 * run. So the superuser works in the maintenance database, which the role cannot enter. It enters this database only while it does
 * not belong to the role yet: older versions, and restores of backups, create it as the superuser.
 */
export async function prepareDatabase(port: number, connect: ConnectAsOwner): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  await withClient(await connect(port), async (client) => {
    await client.query("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC");
    const { rowCount: roles } = await client.query(`SELECT FROM pg_catalog.pg_roles WHERE rolname = '${SERVER_ROLE}'`);
    if (roles === 0) await client.query(`CREATE ROLE ${SERVER_ROLE}`);
    await client.query(
      `ALTER ROLE ${SERVER_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
       PASSWORD '${scramVerifier(password)}'`,
    );
    const { rows: databases } = await client.query(
      `SELECT pg_catalog.pg_get_userbyid(datdba) = '${SERVER_ROLE}' AS is_given
       FROM pg_catalog.pg_database WHERE datname = '${DATABASE}'`,
    );
    if (databases.length === 0) await client.query(`CREATE DATABASE ${DATABASE} OWNER ${SERVER_ROLE}`);
    await client.query(`ALTER ROLE ${SERVER_ROLE} RESET ALL`);
    await client.query(`ALTER ROLE ${SERVER_ROLE} IN DATABASE ${DATABASE} RESET ALL`);
    await client.query(`ALTER DATABASE ${DATABASE} RESET ALL`);
    if (databases[0]?.is_given === false) {
      await withClient(await connect(port, DATABASE), (superuser) => superuser.query(giveEverything));
      // Last, so that the next start repeats all of it if this one is interrupted.
      await client.query(`ALTER DATABASE ${DATABASE} OWNER TO ${SERVER_ROLE}`);
    }
  });
  return `postgres://${SERVER_ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/**
 * Dependent objects are left out: the sequence of a column follows its table, and the functions of an extension keep their owner.
 * No function in the database is called, since names are looked up in `pg_catalog` alone (`ownerConnector`).
 */
const giveEverything = `
  DO $$
  DECLARE
    each record;
  BEGIN
    ALTER SCHEMA public OWNER TO ${SERVER_ROLE};
    FOR each IN
      SELECT oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class
      WHERE relnamespace = 'public'::pg_catalog.regnamespace AND relowner <> '${SERVER_ROLE}'::pg_catalog.regrole
        AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND objid = pg_class.oid AND (deptype = 'e' OR (deptype IN ('a', 'i')
              AND refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass))
        )
    LOOP
      EXECUTE pg_catalog.format('ALTER TABLE %s OWNER TO ${SERVER_ROLE}', each.name);
    END LOOP;
    FOR each IN
      SELECT oid::pg_catalog.regprocedure AS name FROM pg_catalog.pg_proc
      WHERE pronamespace = 'public'::pg_catalog.regnamespace AND proowner <> '${SERVER_ROLE}'::pg_catalog.regrole
        AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND objid = pg_proc.oid AND deptype = 'e'
        )
    LOOP
      EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO ${SERVER_ROLE}', each.name);
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

/** The form in which PostgreSQL stores a password (RFC 5803). It is sent in its place, so that no statement log has the password. */
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
