import { Migration } from "@mikro-orm/migrations";

export class Usage0001 extends Migration {
  override up(): void {
    this.addSql(usageDay);
    this.addSql(usageAdd);
  }
}

/** The index is for the sweep, which names its predicate: reports read by the key. */
const usageDay = `
  CREATE TABLE usage_day (
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    day date NOT NULL,
    channel text NOT NULL,
    country text NOT NULL,
    key_id text NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (workspace_id, mode, day, channel, country, key_id)
  ) WITH (fillfactor = 75);
  CREATE INDEX usage_day_oldest_first ON usage_day (day) WHERE day < 'infinity'`;

/**
 * Adds to what was used today. Items without a mode or a number are left out, and so are those of workspaces that are closed, which may be
 * erased by now, and of the server's own. In the order of the key, and the last thing that a transaction waits for: so transactions that add to the same
 * rows wait for one another, and never in a circle.
 */
const usageAdd = `
  CREATE FUNCTION usage_add(
    workspace_ids text[], modes text[], channels text[], countries text[], key_ids text[], numbers integer[]
  ) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO usage_day AS used (workspace_id, mode, day, channel, country, key_id, number)
    SELECT owner, added.mode, (byond_now() AT TIME ZONE 'UTC')::date, added.channel, added.country, added.key_id, sum(added.number)
    FROM unnest(workspace_ids, modes, channels, countries, key_ids, numbers)
      AS added (owner, mode, channel, country, key_id, number)
    WHERE added.mode IS NOT NULL AND added.number > 0
      AND (SELECT deactivated_at IS NULL FROM workspace WHERE id = owner OFFSET 0)
    GROUP BY owner, added.mode, added.channel, added.country, added.key_id
    ORDER BY owner, added.mode, added.channel, added.country, added.key_id
    ON CONFLICT (workspace_id, mode, day, channel, country, key_id) DO UPDATE SET number = used.number + excluded.number;
  END $$`;
