import { test } from "vitest";
import { openWorkspace, query, usePricedApp } from "./balance-fixture.ts";
const app = usePricedApp({});
const sharded = `
ALTER TABLE usage_day ADD COLUMN shard integer NOT NULL DEFAULT 0;
ALTER TABLE usage_day DROP CONSTRAINT usage_day_pkey;
ALTER TABLE usage_day ADD PRIMARY KEY (workspace_id, mode, day, channel, country, key_id, shard);`;
test("bench", { timeout: 200_000 }, async () => {
  const [{ src = "" } = {}] = await query<{ src: string }>(app.databaseUrl, "SELECT pg_get_functiondef('usage_add'::regproc) AS src");
  await query(app.databaseUrl, "ALTER SYSTEM SET fsync = on");
  await query(app.databaseUrl, "ALTER SYSTEM SET synchronous_commit = on");
  await query(app.databaseUrl, "SELECT pg_reload_conf()");
  for (const statement of sharded.split(";")) await query(app.databaseUrl, statement || "SELECT 1");
  const variants: Record<string, string> = {
    row: src.replace("key_id, number)\n    SELECT", "key_id, shard, number)\n    SELECT").replace("added.key_id, sum(", "added.key_id, 0, sum(").replace("country, key_id) DO", "country, key_id, shard) DO"),
    shards16: src.replace("key_id, number)\n    SELECT", "key_id, shard, number)\n    SELECT").replace("added.key_id, sum(", "added.key_id, pg_backend_pid() % 16, sum(").replace("country, key_id) DO", "country, key_id, shard) DO"),
    none: src.replace(/INSERT INTO usage_day[\s\S]*excluded.number;/, "NULL;"),
  };
  const { key, workspaceId } = await openWorkspace(app, 100_000_000);
  const run = async (ms: number) => {
    const end = performance.now() + ms;
    let n = 0;
    await Promise.all(Array.from({ length: 20 }, async () => {
      while (performance.now() < end) {
        const r = await fetch(`${app.url}/api/v1/lookup?number=%2B6591234567`, { headers: { "X-API-Key": key } });
        await r.arrayBuffer();
        if (r.status === 200) n += 1; else console.log(r.status);
      }
    }));
    return Math.round(n / (ms / 1000));
  };
  await run(2000);
  const results: Record<string, number[]> = {};
  for (let round = 0; round < 5; round += 1) {
    for (const [name, sql] of Object.entries(variants)) {
      await query(app.databaseUrl, sql);
      (results[name] ??= []).push(await run(4000));
    }
  }
  console.log(JSON.stringify(results), JSON.stringify(await query(app.databaseUrl, "SELECT shard, number FROM usage_day WHERE workspace_id=$1", [workspaceId])));
  await query(app.databaseUrl, "ALTER SYSTEM RESET ALL");
  await query(app.databaseUrl, "SELECT pg_reload_conf()");
});
