import { Migration } from "@mikro-orm/migrations";

export class Crypto0001 extends Migration {
  override up(): void {
    this.addSql(masterSecret);
  }
}

const masterSecret = `
  CREATE TABLE master_secret (
    id text PRIMARY KEY,
    first_used_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL
  )`;
