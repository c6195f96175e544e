/**
 * Statements that were planned while their tables were empty, as they are on a new installation, must not walk the tables
 * once they are full. A generic plan is forced from the start; the rows that its scans look at are counted, and the pages that
 * they read: an index walked from end to end for one row shows only there. `test/system/statement-plans.test.ts` runs all statements, in
 * other states of the statistics as well.
 */
import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { applySessionSettings } from "../../../src/database/session-settings.ts";
import { useTestApp } from "../../support/app.ts";
import { rowsOf } from "./verify-calls.ts";

const rowCount = 20_000;

const app = useTestApp();
let client: pg.Client;
let sent: ReadonlyMap<string, pg.QueryConfig>;
beforeAll(async () => {
  const key = await app.mintKey();
  sent = await statementsOf(async () => {
    const body = { channel: "email", recipient: "ada@example.com", end_user_ip: "192.0.2.1", device_id: "a" };
    const id = (await app.rest("POST", "/verify/start", { key, body })).body.verification_id;
    await app.rest("POST", "/verify/check", {
      key,
      body: { verification_id: id, code: "1", recipient: "+6591234567" },
    });
    await app.rest("POST", `/verify/${id}/resend`, { key, body: { channel: "whatsapp", recipient: "+6591234567" } });
    await app.rest("GET", "/verifications?recipient=%2B6591234567&status=pending&page_size=1", { key });
    await app.rest("GET", `/verify/${id}`, { key });
    await app.rest("POST", `/verify/${id}/cancel`, { key });
    await app.rest("POST", "/verifications/erase", { key, body: { recipient: "+6591234567" } });
  });
  const [workspace] = await rowsOf(app, "SELECT workspace_id FROM verification");
  await rowsOf(app, "TRUNCATE verification, throttle, outbox, delivery_attempt");

  client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  await applySessionSettings(client);
  await client.query("SET plan_cache_mode = force_generic_plan");
  for (const statement of sent.values()) {
    await client.query("BEGIN");
    await client.query(statement).catch(() => undefined);
    await client.query("ROLLBACK");
  }
  await fill(String(workspace?.workspace_id));
}, 60_000);
afterAll(async () => {
  await client.end();
});

test.each([
  "start_verification_suppression_end_user_device",
  "check_verification",
  "read_pending_verification",
  "resend_code_suppression_guard_blocks_end_user",
  "cancel_verification",
  "list_verifications_status_recipient",
  "read_verification",
  "erase_recipient",
])("%s, planned on empty tables, reads few rows and pages when the tables are full", async (name) => {
  const values = sent.get(name)?.values ?? [];
  const literals = values.map((value) => literalOf(value));
  await client.query("BEGIN");
  const { rows } = await client.query(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE ${name}(${literals.join(", ")})`,
  );
  await client.query("ROLLBACK");
  const plan = rows[0]["QUERY PLAN"][0].Plan;
  expect(rowsLookedAt(plan)).toBeLessThan(100);
  expect(pagesReadByScans(plan)).toBeLessThan(100);
});

/** The named statements that `work` sends, with their values. */
async function statementsOf(work: () => Promise<void>): Promise<Map<string, pg.QueryConfig>> {
  const query = vi.spyOn(pg.Client.prototype, "query");
  await work();
  const configs = new Map<string, pg.QueryConfig>();
  for (const [config] of query.mock.calls) {
    if (isNamed(config)) {
      configs.set(config.name, { name: config.name, text: config.text, values: config.values ?? [] });
    }
  }
  query.mockRestore();
  return configs;
}

function isNamed(config: unknown): config is pg.QueryConfig & { name: string } {
  return typeof config === "object" && config !== null && "name" in config && typeof config.name === "string";
}

/** Rows like those of a workspace that has been busy, without anything having been analysed since. */
async function fill(workspaceId: string): Promise<void> {
  const many = `generate_series(1, ${rowCount}) AS number`;
  await rowsOf(
    app,
    `INSERT INTO verification (
       workspace_id, id, mode, channel, status, recipient_index, second_recipient_index, brand, metadata, code_length,
       secret_id, max_attempts, created_at, expires_at
     )
     SELECT $1, 'vrf_' || number, 'live', 'email', 'pending', 'first-' || number, 'second-' || number, 'Acme', '{}', 6,
       'secret', 5, now() - number * interval '1 second', now() + interval '1 hour'
     FROM ${many}`,
    [workspaceId],
  );
  await rowsOf(app, `INSERT INTO throttle SELECT $1, 'send:live:' || number, now() FROM ${many}`, [workspaceId]);
  await rowsOf(
    app,
    `INSERT INTO outbox (workspace_id, id, kind, lane, subject_id, payload_sealed, available_at, created_at, expires_at)
     SELECT $1, 'dlv_' || number, 'kind', 'email', 'vrf_' || number, '', now(), now(), now() FROM ${many}`,
    [workspaceId],
  );
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  /** Of the node and of those below it. */
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly PlanNode[];
}

/** How many rows the scans of a plan looked at, those included that they passed over. */
function rowsLookedAt(node: PlanNode): number {
  const own = node["Node Type"].includes("Scan")
    ? (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0)) *
      node["Actual Loops"]
    : 0;
  return (node.Plans ?? []).reduce((sum, plan) => sum + rowsLookedAt(plan), own);
}

function pagesReadByScans(node: PlanNode): number {
  const isTableScan = node["Relation Name"] !== undefined && node["Node Type"].includes("Scan");
  const own = isTableScan ? node["Shared Hit Blocks"] + node["Shared Read Blocks"] : 0;
  return (node.Plans ?? []).reduce((sum, plan) => sum + pagesReadByScans(plan), own);
}

function literalOf(value: unknown): string {
  if (value === null || value === undefined) {
    return "NULL";
  }
  if (Buffer.isBuffer(value)) {
    return `'\\x${value.toString("hex")}'`;
  }
  if (Array.isArray(value)) {
    return `'{${value.map((item) => `"${item}"`).join(",")}}'`;
  }
  return pg.escapeLiteral(String(value));
}
