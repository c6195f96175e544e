import { Migration } from "@mikro-orm/migrations";

export class Balance0001 extends Migration {
  override up(): void {
    for (const statement of [
      ledgerCurrency,
      wallet,
      entry,
      reserve,
      spending,
      cap,
      countRefunds,
      addSpending,
      setAside,
      take,
    ]) {
      this.addSql(statement);
    }
    for (const statement of [charge, close, topUp]) {
      this.addSql(statement);
    }
  }
}

/** One row: what the integers of the ledger mean. A server with other prices must not start on it. */
const ledgerCurrency = `
  CREATE TABLE ledger_currency (
    currency text NOT NULL,
    digits integer NOT NULL,
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only)
  )`;

/** The sum of the counted entries of the account \`wallet\`, and the row whose lock orders whatever takes from it. */
const wallet = `
  CREATE TABLE wallet (
    workspace_id text PRIMARY KEY,
    balance bigint NOT NULL
  ) WITH (fillfactor = 50)`;

const entry = `
  CREATE TABLE ledger_entry (
    workspace_id text NOT NULL,
    reserve_id text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('top_up', 'correction', 'reserve', 'release', 'charge', 'refund')),
    debit text NOT NULL,
    credit text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    key_id text NOT NULL DEFAULT '',
    subject_id text,
    item text,
    day date NOT NULL,
    is_counted boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, reserve_id, reference, kind),
    CONSTRAINT ledger_entry_accounts CHECK (debit <> credit)
  );
  CREATE INDEX ledger_entry_newest_first ON ledger_entry (workspace_id, created_at, reference, kind)
    WHERE created_at > '-infinity' AND kind <> 'reserve' AND kind <> 'release';
  CREATE INDEX ledger_entry_uncounted ON ledger_entry (workspace_id) WHERE NOT is_counted`;

const reserve = `
  CREATE TABLE spend_reserve (
    workspace_id text NOT NULL,
    id text NOT NULL,
    key_id text NOT NULL,
    server_id text NOT NULL,
    day date NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
  );
  CREATE INDEX spend_reserve_expires_at ON spend_reserve (expires_at)`;

const spending = `
  CREATE TABLE spend_period (
    workspace_id text NOT NULL,
    key_id text NOT NULL,
    period text NOT NULL CHECK (period IN ('day', 'month')),
    starts date NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (workspace_id, key_id, period, starts)
  ) WITH (fillfactor = 50);
  CREATE INDEX spend_period_starts ON spend_period (starts)`;

const cap = `
  CREATE TABLE spend_cap (
    workspace_id text NOT NULL,
    key_id text NOT NULL,
    period text NOT NULL CHECK (period IN ('day', 'month')),
    amount bigint NOT NULL CHECK (amount >= 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, key_id)
  )`;

/** Adds to what a key and its workspace have spent in a day and its month. Always in one order, and under the lock of the wallet. */
const addSpending = `
  CREATE FUNCTION spend_add(workspace text, key text, of_day date, added bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO spend_period AS spent (workspace_id, key_id, period, starts, amount)
    SELECT workspace, spender, unit, date_trunc(unit, of_day::timestamp)::date, added
    FROM unnest(CASE key WHEN '' THEN ARRAY[''] ELSE ARRAY['', key] END) AS spender, unnest('{day,month}'::text[]) AS unit
    ON CONFLICT (workspace_id, key_id, period, starts) DO UPDATE SET amount = spent.amount + excluded.amount;
  END $$`;

/**
 * Counts the refunds since the last time. They are written without the lock of the wallet, for which the outcomes of all messages of a
 * workspace would wait. The caller holds it.
 */
const countRefunds = `
  CREATE FUNCTION balance_count_refunds(workspace text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    refunded record;
  BEGIN
    FOR refunded IN
      WITH counted AS (
        UPDATE ledger_entry SET is_counted = true WHERE workspace_id = workspace AND NOT is_counted RETURNING key_id, day, amount
      )
      SELECT key_id, day, sum(amount)::bigint AS amount FROM counted GROUP BY key_id, day ORDER BY key_id, day
    LOOP
      UPDATE wallet SET balance = balance + refunded.amount WHERE workspace_id = workspace;
      PERFORM spend_add(workspace, refunded.key_id, refunded.day, -refunded.amount);
    END LOOP;
  END $$`;

/** What open reserves have left: of a workspace or one of its keys, for the days from one on. */
const setAside = `
  CREATE FUNCTION spend_set_aside(workspace text, key text, since date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(reserve.amount - charged.amount), 0)::bigint
    FROM spend_reserve AS reserve, LATERAL (
      SELECT coalesce(sum(amount), 0) AS amount FROM ledger_entry
      WHERE workspace_id = workspace AND reserve_id = reserve.id AND kind = 'charge'
      OFFSET 0
    ) AS charged
    WHERE reserve.workspace_id = workspace AND reserve.day >= since AND key IN ('', reserve.key_id)
  $$`;

/**
 * Moves money of a wallet to a reserve of one server, for one key and one day (UTC). Takes what is wanted, but no
 * more than a part of what is left, so that several servers can spend all of it; and what calls wait for, if there is as much. Answers the
 * amount, or why there is not even the price of one, with what open reserves have of what it is refused for.
 */
const take = `
  CREATE FUNCTION spend_take_reserve(
    workspace text, key text, reserve text, server_name text, price bigint, needed bigint, wanted bigint,
    lives_ms double precision,
    OUT outcome text, OUT taken bigint, OUT lasts_ms double precision, OUT rest bigint, OUT set_aside bigint, OUT spent bigint,
    OUT of_key boolean, OUT resets_at timestamptz
  ) LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := date_trunc('milliseconds', byond_now());
    today date := (moment AT TIME ZONE 'UTC')::date;
    servers bigint := greatest(1, (SELECT count(*) FROM server));
    capped record;
    left_over bigint;
  BEGIN
    PERFORM FROM wallet WHERE workspace_id = workspace FOR UPDATE;
    PERFORM balance_count_refunds(workspace);
    left_over := coalesce((SELECT balance FROM wallet WHERE workspace_id = workspace), 0);
    IF left_over < price THEN
      outcome := 'insufficient_balance';
      rest := left_over;
      set_aside := spend_set_aside(workspace, '', '-infinity');
      RETURN;
    END IF;
    FOR capped IN
      SELECT spend_cap.key_id, spend_cap.amount, spend_cap.period, coalesce(passed.amount, 0) AS used,
        date_trunc(spend_cap.period, today::timestamp)::date AS starts
      FROM spend_cap LEFT JOIN spend_period AS passed
        ON passed.workspace_id = workspace AND passed.key_id = spend_cap.key_id AND passed.period = spend_cap.period
          AND passed.starts = date_trunc(spend_cap.period, today::timestamp)::date
      WHERE spend_cap.workspace_id = workspace AND spend_cap.key_id IN ('', key)
      ORDER BY spend_cap.key_id
    LOOP
      IF capped.amount - capped.used < price THEN
        outcome := 'spend_cap_reached';
        rest := capped.amount - capped.used;
        set_aside := spend_set_aside(workspace, capped.key_id, capped.starts);
        spent := capped.used - set_aside;
        of_key := capped.key_id <> '';
        resets_at := (date_trunc(capped.period, today::timestamp) + ('1 ' || capped.period)::interval) AT TIME ZONE 'UTC';
        RETURN;
      END IF;
      left_over := least(left_over, capped.amount - capped.used);
    END LOOP;
    taken := least(left_over, greatest(needed, least(wanted, left_over / (2 * servers))));
    IF taken < price THEN
      outcome := 'insufficient_balance';
      rest := taken;
      RETURN;
    END IF;
    lasts_ms := least(lives_ms, extract(epoch FROM (today + 1)::timestamp AT TIME ZONE 'UTC' - moment)::float8 * 1000);
    outcome := 'taken';
    UPDATE wallet SET balance = balance - taken WHERE workspace_id = workspace;
    INSERT INTO spend_reserve (workspace_id, id, key_id, server_id, day, amount, expires_at)
      VALUES (workspace, reserve, key, server_name, today, taken, moment + 2 * lives_ms * interval '1 millisecond');
    INSERT INTO ledger_entry (workspace_id, reserve_id, reference, kind, debit, credit, amount, key_id, day, created_at)
      VALUES (workspace, reserve, reserve, 'reserve', 'wallet', 'reserve', taken, key, today, moment);
    PERFORM spend_add(workspace, key, today, taken);
  END $$`;

/**
 * Charges something to a reserve, unless that is closed. The lock is shared by all charges to it until they commit, and whoever closes it has it
 * alone: so a charge is in the sum, or finds no reserve. The query has a snapshot of its own, taken after the lock.
 */
const charge = `
  CREATE FUNCTION spend_charge(
    workspace text, reserve text, charged text, price bigint, subject text, of_item text, key text
  ) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    is_locked boolean;
  BEGIN
    is_locked := pg_advisory_xact_lock_shared(hashtextextended(reserve, 0)) IS NULL;
    INSERT INTO ledger_entry (
        workspace_id, reserve_id, reference, kind, debit, credit, amount, key_id, subject_id, item, day, created_at
      )
      SELECT workspace, reserve, charged, 'charge', 'reserve', 'spent', price, key, subject, of_item, day,
        date_trunc('milliseconds', byond_now())
      FROM spend_reserve WHERE workspace_id = workspace AND id = reserve;
    RETURN FOUND;
  END $$`;

/** Closes a reserve: what was not charged to it goes back to the wallet. One that nothing was charged to leaves no entries. */
const close = `
  CREATE FUNCTION spend_close_reserve(workspace text, reserve text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    closed spend_reserve;
    unused bigint;
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(reserve, 0));
    DELETE FROM spend_reserve WHERE workspace_id = workspace AND id = reserve RETURNING * INTO closed;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    unused := closed.amount - coalesce((
      SELECT sum(amount) FROM ledger_entry WHERE workspace_id = workspace AND reserve_id = reserve AND kind = 'charge'
    ), 0);
    IF unused > 0 THEN
      UPDATE wallet SET balance = balance + unused WHERE workspace_id = workspace;
      IF unused = closed.amount THEN
        DELETE FROM ledger_entry WHERE workspace_id = workspace AND reserve_id = reserve AND reference = reserve AND kind = 'reserve';
      ELSE
        INSERT INTO ledger_entry (workspace_id, reserve_id, reference, kind, debit, credit, amount, key_id, day, created_at)
          VALUES (
            workspace, reserve, reserve, 'release', 'reserve', 'wallet', unused, closed.key_id, closed.day,
            date_trunc('milliseconds', byond_now())
          );
      END IF;
      PERFORM spend_add(workspace, closed.key_id, closed.day, -unused);
    END IF;
    RETURN true;
  END $$`;

/** Adds to a wallet, or takes from it if the amount is negative. Once for each reference: answers whether this was the first time. */
const topUp = `
  CREATE FUNCTION balance_top_up(workspace text, named text, added bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := date_trunc('milliseconds', byond_now());
  BEGIN
    INSERT INTO wallet (workspace_id, balance) VALUES (workspace, 0) ON CONFLICT DO NOTHING;
    PERFORM FROM wallet WHERE workspace_id = workspace FOR UPDATE;
    PERFORM FROM ledger_entry
      WHERE workspace_id = workspace AND reserve_id = '' AND reference = named AND kind IN ('top_up', 'correction');
    IF FOUND THEN
      RETURN false;
    END IF;
    INSERT INTO ledger_entry (workspace_id, reserve_id, reference, kind, debit, credit, amount, day, created_at)
      SELECT workspace, '', named, kind, debit, credit, abs(added), (moment AT TIME ZONE 'UTC')::date, moment
      FROM (VALUES (true, 'top_up', 'funding', 'wallet'), (false, 'correction', 'wallet', 'funding'))
        AS entry (is_added, kind, debit, credit)
      WHERE is_added = (added > 0);
    UPDATE wallet SET balance = balance + added WHERE workspace_id = workspace;
    RETURN true;
  END $$`;
