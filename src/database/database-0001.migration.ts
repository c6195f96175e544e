import { Migration } from "@mikro-orm/migrations";

export class Database0001 extends Migration {
  override up(): void {
    this.addSql(clock);
    this.addSql(installation);
    this.addSql(throttle);
    this.addSql(sweep);
  }
}

/** One function for the time that servers compare, so that tests can move it for all of them at once. */
const clock = `
  CREATE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
  AS 'SELECT clock_timestamp()'`;

/** With the key of the tags by which keys and tokens are told from guesses. */
const installation = `
  CREATE TABLE installation (
    name text PRIMARY KEY,
    value bytea NOT NULL
  );
  INSERT INTO installation (name, value)
  VALUES ('api_key_tag', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))`;

const throttle = `
  CREATE TABLE throttle (
    workspace_id text NOT NULL,
    key text NOT NULL,
    tat timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, key)
  ) WITH (fillfactor = 80)`;

const sweep = `
  CREATE TABLE sweep (
    name text PRIMARY KEY,
    next_at timestamptz NOT NULL
  )`;
