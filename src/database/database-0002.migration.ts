import { Migration } from "@mikro-orm/migrations";

export class Database0002 extends Migration {
  override up(): void {
    this.addSql(idTime);
    this.addSql(idRandom);
  }
}

/** The two parts of ids behind their prefix, as `createId` of crypto/ids.ts makes them: for rows that the database itself writes. */
const idTime = `
  CREATE FUNCTION id_time(moment timestamptz) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT string_agg(
      substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', (ms / (62 ^ place)::bigint % 62)::integer + 1, 1),
      '' ORDER BY place DESC
    )
    FROM CAST(floor(extract(epoch FROM moment) * 1000) AS bigint) AS ms, generate_series(0, 7) AS place
  $$`;

const idRandom = `
  CREATE FUNCTION id_random() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT left(translate(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '+/=', ''), 14)
  $$`;
