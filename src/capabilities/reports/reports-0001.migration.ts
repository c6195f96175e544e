import { Migration } from "@mikro-orm/migrations";

export class Reports0001 extends Migration {
  override up(): void {
    this.addSql(verificationHour);
    this.addSql(requestHour);
  }
}

/** Rows of the current hour are updated again and again, on their page: no index but that of the key has a column that changes. */
const verificationHour = `
  CREATE TABLE verification_hour (
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    hour timestamptz NOT NULL,
    channel text NOT NULL,
    started integer NOT NULL,
    delivered integer NOT NULL,
    approved integer NOT NULL,
    expired integer NOT NULL,
    locked integer NOT NULL,
    canceled integer NOT NULL,
    channel_unavailable integer NOT NULL,
    failed_messages integer NOT NULL,
    time_to_delivery integer[] NOT NULL,
    time_to_approval integer[] NOT NULL,
    PRIMARY KEY (workspace_id, mode, hour, channel)
  ) WITH (fillfactor = 60);
  CREATE INDEX verification_hour_oldest_first ON verification_hour (hour)`;

const requestHour = `
  CREATE TABLE request_hour (
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    hour timestamptz NOT NULL,
    code text NOT NULL,
    requests bigint NOT NULL,
    PRIMARY KEY (workspace_id, mode, hour, code)
  ) WITH (fillfactor = 60);
  CREATE INDEX request_hour_oldest_first ON request_hour (hour)`;
