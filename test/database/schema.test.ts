/** The migrations lead to exactly the schema that the entities describe. */
import { MikroORM } from "@mikro-orm/postgresql";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ormOptions } from "../../src/database/orm-options.ts";
import { applySessionSettings } from "../../src/database/session-settings.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { standardSchema, standardWorkspaceTables } from "../support/schema.ts";

/**
 * What the ORM does not describe, and is written in a migration only: functions (its routines know no VARIADIC parameters), triggers
 * (it would write functions of its own for them), how full pages are filled and tables are vacuumed, and the names of sequences (one
 * would be `revocation_seq_seq`).
 */
const beyondTheEntities = {
  functions: [
    "balance_count_refunds",
    "balance_refund",
    "balance_top_up",
    "byond_now",
    "code_has_arrived",
    "delivery_record_receipt",
    "delivery_record_receipt",
    "delivery_record_receipt",
    "fallback_bring_forward",
    "fallback_end_step",
    "guard_count_refusals",
    "guard_count_traffic",
    "guard_country_range",
    "guard_judge_ranges",
    "guard_judge_workspaces",
    "id_random",
    "id_time",
    "lock_subjects",
    "note_guesses",
    "number_events",
    "on_code_message_finished",
    "on_code_receipt",
    "on_delivered_after_all",
    "on_fallback_ended",
    "on_fallback_message_finished",
    "on_fallback_message_reported",
    "on_late_number_send",
    "on_safe_list_changed",
    "on_suppressed_recipient_approved",
    "on_undeliverable",
    "on_verification_changed",
    "on_verification_ended",
    "outbox_claim_group",
    "outbox_claimant_lives",
    "outbox_count_unanswered",
    "outbox_move_claims",
    "outbox_note_due",
    "outbox_record_sent",
    "outbox_record_sent",
    "outbox_record_sent",
    "outbox_record_sent",
    "outbox_release_claims",
    "outbox_renew_claims",
    "report_count_refunds",
    "report_count_verifications",
    "report_note_refund",
    "require_credential",
    "spend_add",
    "spend_charge",
    "spend_close_reserve",
    "spend_set_aside",
    "spend_signature",
    "spend_take_reserve",
    "usage_add",
    "verification_to_reuse",
    "webhook_follow_events",
    "webhook_queue_deliveries",
    "webhook_write_event",
    "write_key_event",
  ],
  triggers: [
    "api_key_changed",
    "api_key_created",
    "code_bounced",
    "code_message_finished",
    "code_receipt",
    "fallback_ended",
    "fallback_message_finished",
    "fallback_message_reported",
    "guard_refusals",
    "guard_traffic",
    "late_number_send",
    "message_given_up",
    "message_refunded",
    "message_refunded_late",
    "outbox_due_earlier",
    "outbox_written",
    "recipient_has_approved",
    "recipient_reached",
    "recipient_undeliverable",
    "report_verifications",
    "safe_list_changed",
    "verification_ended",
    "verification_started",
    "webhook_deliveries",
    "webhook_disabled",
  ],
  fillFactors: {
    event_pending: ["autovacuum_vacuum_scale_factor=0", "autovacuum_vacuum_threshold=2000"],
    guard_count: ["fillfactor=60"],
    guard_hour: ["fillfactor=60"],
    guess_source: ["fillfactor=60"],
    quota: ["fillfactor=50"],
    request_hour: ["fillfactor=60"],
    usage_day: ["fillfactor=75"],
    server: ["fillfactor=50"],
    spend_period: ["fillfactor=50"],
    throttle: ["fillfactor=80"],
    verification: ["fillfactor=80"],
    verification_hour: ["fillfactor=60"],
    verification_slot: ["fillfactor=75"],
    wallet: ["fillfactor=50"],
  },
  sequences: ["event_pending_number", "event_position", "revocation_seq"],
  defaults: {
    "event_pending.number": "nextval('event_pending_number'::regclass)",
    "revocation.seq": "nextval('revocation_seq'::regclass)",
  },
};

let migrated: TestDatabase;
let described: TestDatabase;
beforeAll(async () => {
  migrated = await createMigratedDatabase();
  described = await createTestDatabase();
  // A default calls it.
  await query(described, "CREATE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT clock_timestamp()'");
  await using orm = await openOrm(described);
  await orm.schema.create();
});
afterAll(() => Promise.all([migrated.drop(), described.drop()]));

async function openOrm({ url }: TestDatabase) {
  const orm = await MikroORM.init({
    ...ormOptions({ ...(await connectionTo(url)) }, captureLog().logger, applySessionSettings),
    entities: [...standardSchema.entities],
    migrations: { tableName: "schema_migration" },
    schemaGenerator: { ignoreRoutines: true, ignoreTriggers: true },
  });
  return Object.assign(orm, { [Symbol.asyncDispose]: () => orm.close(true) });
}

async function query({ url }: TestDatabase, text: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const ours = "relnamespace = 'public'::regnamespace AND relname NOT LIKE 'schema_migration%'";

test("the ORM finds nothing to change", async () => {
  await using orm = await openOrm(migrated);
  expect(await orm.schema.getUpdateSchemaSQL()).toBe("");
});

test("it would find an index, a default and a check that are missing", async () => {
  const changed = await createMigratedDatabase();
  await query(
    changed,
    `DROP INDEX outbox_due; DROP INDEX verification_list;
     ALTER TABLE workspace ALTER tier DROP DEFAULT, DROP CONSTRAINT workspace_tier_check`,
  );
  await using orm = await openOrm(changed);
  const changes = await orm.schema.getUpdateSchemaSQL();
  for (const name of ["outbox_due", "verification_list", "set default 'starter'", "workspace_tier_check"]) {
    expect(changes).toContain(name);
  }
  await orm.close(true);
  await changed.drop();
});

/** As PostgreSQL writes them: the ORM takes parts of them for equal that are not, and knows some indexes by name only. */
test.each([
  [
    "columns",
    `SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) AS value
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE ${ours} AND relkind = 'r' AND attnum > 0 AND NOT attisdropped ORDER BY relname, attname`,
  ],
  ["indexes", `SELECT pg_get_indexdef(oid) AS is FROM pg_class WHERE ${ours} AND relkind = 'i' ORDER BY relname`],
  [
    "constraints",
    `SELECT relname, conname, pg_get_constraintdef(pg_constraint.oid) AS is
     FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE ${ours} ORDER BY relname, conname`,
  ],
])("%s are those of a database that is made of the entities", async (_, text) => {
  const rows = withoutDefaults(await query(described, text));
  expect(rows.length).toBeGreaterThan(10);
  expect(withoutDefaults(await query(migrated, text))).toEqual(rows);
});

function withoutDefaults(rows: Record<string, unknown>[]) {
  return rows.map((row) =>
    `${row.relname}.${row.attname}` in beyondTheEntities.defaults ? { ...row, value: null } : row,
  );
}

test("what the entities do not describe is listed", async () => {
  const [found] = await query(
    migrated,
    `SELECT
       (SELECT json_agg(proname ORDER BY proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS functions,
       (SELECT json_agg(tgname ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
       (SELECT json_object_agg(relname, reloptions) FROM pg_class WHERE ${ours} AND reloptions IS NOT NULL) AS "fillFactors",
       (SELECT json_agg(relname ORDER BY relname) FROM pg_class WHERE ${ours} AND relkind = 'S') AS sequences,
       (SELECT json_object_agg(relname || '.' || attname, pg_get_expr(adbin, adrelid))
        FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum JOIN pg_class ON pg_class.oid = adrelid
        WHERE ${ours} AND pg_get_expr(adbin, adrelid) LIKE 'nextval%') AS defaults,
       (SELECT count(*)::integer FROM pg_policy)
         + (SELECT count(*)::integer FROM pg_class WHERE ${ours} AND relkind NOT IN ('r', 'i', 'S')) AS others`,
  );
  expect(found).toEqual({ ...beyondTheEntities, others: 0 });
});

test("every table with a workspace is declared, so that an erasure forgets none", async () => {
  const rows = await query(
    migrated,
    `SELECT DISTINCT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE ${ours} AND relkind = 'r' AND attname = 'workspace_id' AND NOT attisdropped`,
  );
  const declared = Object.keys(standardWorkspaceTables);
  expect(rows.map(({ relname }) => relname).sort()).toEqual(declared.sort());
});

test("an erasure goes through a verification before its messages, as the sweep of verifications does", () => {
  const order = ["verification", "delivery_attempt", "outbox"];
  expect(Object.keys(standardWorkspaceTables).filter((table) => order.includes(table))).toEqual(order);
});

test.each(Object.entries(standardWorkspaceTables).filter(([, columns]) => columns !== null))(
  "%s has an index that begins with the workspace, %s",
  async (table, columns) => {
    const rows = await query(migrated, `SELECT indexdef FROM pg_indexes WHERE tablename = '${table}'`);
    const begins = columns === "workspace_id" ? "(workspace_id)" : `(workspace_id, ${columns}`;
    const isServed = rows.some(({ indexdef }) => String(indexdef).includes(begins));
    expect(isServed).toBe(true);
  },
);
