import { Migration } from "@mikro-orm/migrations";

/**
 * Accounts, keys, verifications and their messages. Every table that grows has `workspace_id` first in its primary key,
 * so that a distributed PostgreSQL can shard it.
 */
export class Initial extends Migration {
  override up(): void {
    this.addSql(clock);
    this.addSql(installation);
    this.addSql(accounts);
    this.addSql(apiKeys);
    this.addSql(throttle);
    this.addSql(verifications);
    this.addSql(outbox);
  }
}

/** One function for the time that servers compare, so that tests can move it for all of them at once. */
const clock = `
  CREATE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
  AS 'SELECT clock_timestamp()'`;

/** Secrets that belong to the installation and must outlive every master secret. */
const installation = `
  CREATE TABLE installation (
    name text PRIMARY KEY,
    value bytea NOT NULL
  );
  INSERT INTO installation (name, value)
  VALUES ('api_key_tag', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))`;

const accounts = `
  CREATE TABLE workspace (
    id text PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL
  );
  CREATE TABLE account (
    id text PRIMARY KEY,
    workspace_id text NOT NULL REFERENCES workspace,
    email text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL
  )`;

const apiKeys = `
  CREATE TABLE api_key (
    id text PRIMARY KEY,
    workspace_id text NOT NULL REFERENCES workspace,
    prefix text NOT NULL UNIQUE,
    secret_hash text NOT NULL,
    name text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    scopes text[] CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
  );
  CREATE INDEX api_key_newest_first ON api_key (workspace_id, created_at DESC, id DESC)`;

/** GCRA: `tat` is the theoretical arrival time of the next token. */
const throttle = `
  CREATE TABLE throttle (
    workspace_id text NOT NULL,
    key text NOT NULL,
    tat timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, key)
  ) WITH (fillfactor = 80)`;

/** Holds neither a code nor a hash of one, and the recipient only sealed and as a keyed index. */
const verifications = `
  CREATE TABLE verification (
    workspace_id text NOT NULL,
    id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    channel text NOT NULL CHECK (channel IN ('sms', 'voice', 'whatsapp', 'email')),
    status text NOT NULL CHECK (status IN ('pending', 'approved', 'locked', 'canceled', 'channel_unavailable')),
    recipient_sealed bytea,
    recipient_index text,
    brand text NOT NULL,
    locale text,
    autofill_domain text,
    metadata jsonb NOT NULL,
    code_length smallint NOT NULL CHECK (code_length BETWEEN 4 AND 10),
    secret_id text NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    approved_at timestamptz,
    PRIMARY KEY (workspace_id, id)
  ) WITH (fillfactor = 80);
  CREATE INDEX verification_newest_first ON verification (workspace_id, mode, created_at DESC, id DESC);
  CREATE INDEX verification_by_recipient ON verification (workspace_id, mode, recipient_index, created_at DESC, id DESC);
  CREATE INDEX verification_oldest_first ON verification (created_at)`;

/**
 * Messages on their way. A pending row belongs to the server `claimed_by`, if there is one, until `available_at`; from then
 * on any server may claim it. A finished one has no payload any more.
 */
const outbox = `
  CREATE TABLE outbox (
    workspace_id text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    lane text NOT NULL,
    subject_id text NOT NULL,
    payload_sealed bytea CHECK (payload_sealed IS NOT NULL OR status <> 'pending'),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed', 'expired')),
    attempts integer NOT NULL DEFAULT 0,
    claim integer NOT NULL DEFAULT 1,
    claimed_by text,
    available_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    finished_at timestamptz,
    last_error text,
    PRIMARY KEY (workspace_id, id)
  );
  CREATE INDEX outbox_due ON outbox (lane, available_at) WHERE status = 'pending';
  CREATE INDEX outbox_by_subject ON outbox (workspace_id, subject_id, created_at)`;
