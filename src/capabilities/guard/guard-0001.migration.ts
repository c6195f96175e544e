import { Migration } from "@mikro-orm/migrations";

export class Guard0001 extends Migration {
  override up(): void {
    this.addSql(setting);
    this.addSql(block);
    this.addSql(safeList);
    this.addSql(followSafeList);
    this.addSql(hour);
    this.addSql(countRefusals);
    this.addSql(`
      CREATE TRIGGER guard_refusals AFTER INSERT ON event REFERENCING NEW TABLE AS numbered
        FOR EACH STATEMENT EXECUTE FUNCTION guard_count_refusals()`);
  }
}

const setting = `
  CREATE TABLE guard_setting (
    workspace_id text NOT NULL PRIMARY KEY,
    version integer NOT NULL,
    mode text CHECK (mode IN ('enforce', 'shadow', 'off')),
    allowed_countries text[] NOT NULL DEFAULT '{}',
    blocked_countries text[] NOT NULL DEFAULT '{}',
    sends_per_hour_per_country integer,
    sends_per_hour_per_range integer,
    refuse_invalid_numbers boolean NOT NULL DEFAULT false,
    shares_recipient_limit boolean NOT NULL DEFAULT false,
    hook_url text,
    hook_on_failure text CHECK (hook_on_failure IN ('allow', 'refuse')),
    hook_secret_id text,
    hook_secret_sealed bytea
  );
  CREATE INDEX guard_setting_of_hook_secret ON guard_setting (hook_secret_id) WHERE hook_secret_id IS NOT NULL`;

const block = `
  CREATE TABLE guard_block (
    workspace_id text NOT NULL,
    number_range text NOT NULL,
    id text NOT NULL,
    level integer NOT NULL,
    started integer NOT NULL,
    approved integer NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, number_range)
  )`;

const safeList = `
  CREATE TABLE safe_list_entry (
    workspace_id text NOT NULL,
    id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    recipient_index text,
    recipient_sealed bytea,
    number_range text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT safe_list_entry_of_recipient UNIQUE (recipient_index, workspace_id, mode),
    CONSTRAINT safe_list_entry_of_range UNIQUE (workspace_id, mode, number_range),
    CONSTRAINT safe_list_entry_check CHECK ((recipient_index IS NULL) = (recipient_sealed IS NULL) AND (recipient_index IS NULL) <> (number_range IS NULL))
  )`;

/**
 * The safe list is part of the settings that servers keep in memory: every change of it is a new version of them, whoever makes it. If the
 * settings of the workspace are gone, it is being erased.
 */
const followSafeList = `
  CREATE FUNCTION on_safe_list_changed() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    IF TG_OP = 'INSERT' THEN
      INSERT INTO guard_setting AS setting (workspace_id, version) VALUES (NEW.workspace_id, 1)
      ON CONFLICT (workspace_id) DO UPDATE SET version = setting.version + 1;
    ELSE
      UPDATE guard_setting SET version = version + 1 WHERE workspace_id = OLD.workspace_id;
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER safe_list_changed AFTER INSERT OR UPDATE OR DELETE ON safe_list_entry
    FOR EACH ROW EXECUTE FUNCTION on_safe_list_changed()`;

const hour = `
  CREATE TABLE guard_hour (
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    hour timestamptz NOT NULL,
    reason text NOT NULL,
    country text NOT NULL,
    refused integer NOT NULL,
    would_refuse integer NOT NULL,
    PRIMARY KEY (workspace_id, mode, hour, reason, country)
  ) WITH (fillfactor = 60);
  CREATE INDEX guard_hour_oldest_first ON guard_hour (hour)`;

/**
 * Counts refusals when their events get a position, as reports count verifications (decision 53): each once, and no send waits for a row.
 * An error would leave the events of everybody without positions: one whose snapshot does not say what is counted is left out.
 */
const countRefusals = `
  CREATE FUNCTION guard_count_refusals() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO guard_hour AS counted (workspace_id, mode, hour, reason, country, refused, would_refuse)
    SELECT
      workspace_id, mode, hour, reason, country,
      count(*) FILTER (WHERE enforced), count(*) FILTER (WHERE NOT enforced)
    FROM (
      SELECT
        workspace_id, mode, date_trunc('hour', created_at, 'UTC') AS hour, snapshot ->> 'reason' AS reason,
        coalesce(snapshot ->> 'country', '') AS country, snapshot ->> 'enforced' = 'true' AS enforced
      FROM numbered WHERE type = 'guard_refusal.recorded'
      OFFSET 0
    ) AS happened
    WHERE reason IS NOT NULL AND enforced IS NOT NULL
    GROUP BY workspace_id, mode, hour, reason, country
    ORDER BY workspace_id, mode, hour, reason, country
    ON CONFLICT (workspace_id, mode, hour, reason, country) DO UPDATE SET
      refused = counted.refused + excluded.refused, would_refuse = counted.would_refuse + excluded.would_refuse;
    RETURN NULL;
  END $$`;
