import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { outboxMetrics } from "../../src/outbox/outbox-metrics.ts";
import { querySql } from "../support/sql.ts";
import { useOutbox } from "./outbox-fixture.ts";

const use = useOutbox();

/** The metrics of a server that has the lanes "mail" and "chat", and the group "webhook". */
function metricsOfServer() {
  const { database, clock } = use.outbox;
  const made = outboxMetrics({ database, clock, lanes: ["mail", "chat"], groups: ["webhook"] });
  const registry = new Registry();
  for (const metric of made.metrics) {
    registry.registerMetric(metric);
  }
  const lines = async (name: string) =>
    (await registry.metrics())
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`))
      .toSorted();
  return { ...made, lines };
}

test("what waits is counted by channel, and a thousand receivers are one channel", async () => {
  const { outbox } = use;
  const { lines } = metricsOfServer();
  await outbox.write("srv_a", { lane: "mail" });
  await outbox.clock.advance(30_000);
  await outbox.write("srv_a", { lane: "mail" });
  for (let receiver = 0; receiver < 20; receiver += 1) {
    await outbox.write("srv_a", { lane: `webhook/${receiver}` });
  }
  expect(await lines("byond_outbox_messages")).toEqual([
    'byond_outbox_messages{channel="chat"} 0',
    'byond_outbox_messages{channel="mail"} 2',
    'byond_outbox_messages{channel="webhook"} 20',
  ]);
  const ages = (await lines("byond_outbox_oldest_message_age_seconds")).map((line) => Number(line.split(" ")[1]));
  expect(ages.map((age) => Math.floor(age / 30))).toEqual([0, 1, 0]);
});

test("the outbox is read once in five seconds, and has no values while the database does not answer", async () => {
  const { outbox } = use;
  const { lines } = metricsOfServer();
  await Promise.all([lines("byond_outbox_messages"), lines("byond_outbox_messages")]);
  await outbox.write("srv_a", { lane: "mail" });
  expect(await lines("byond_outbox_messages")).toContain('byond_outbox_messages{channel="mail"} 0');
  await outbox.clock.advance(5_000);
  expect(await lines("byond_outbox_messages")).toContain('byond_outbox_messages{channel="mail"} 1');
  const away = outboxMetrics({
    database: { run: () => Promise.reject(new Error("away")) },
    clock: outbox.clock,
    lanes: ["mail"],
    groups: [],
  });
  const registry = new Registry();
  for (const metric of away.metrics) {
    registry.registerMetric(metric);
  }
  expect(await registry.metrics()).not.toMatch(/^byond_outbox_messages\{/m);
});

test("the statement reads through the index of what is due, however much is in the outbox", async () => {
  const { database } = use.outbox;
  const statements: string[] = [];
  const recording: typeof database.run = (statement, values) => {
    statements.push(statement.text);
    return database.run(statement, values);
  };
  const { metrics } = outboxMetrics({
    database: { run: recording },
    clock: use.outbox.clock,
    lanes: ["mail"],
    groups: ["webhook"],
  });
  for (const metric of metrics) {
    await metric.get();
  }
  const [text = ""] = statements;
  await querySql(database, { name: "explain_depth_generic", text: "SET plan_cache_mode = force_generic_plan" }, []);
  const plan = await querySql(
    database,
    {
      name: "explain_depth",
      text: `EXPLAIN (FORMAT TEXT) ${text.replace(/\$1::text\[\]/g, "ARRAY['mail']").replace(/\$2::text\[\]/g, "ARRAY['webhook']")}`,
    },
    [],
  );
  const lines = plan.map((row) => JSON.stringify(row)).join("\n");
  expect(lines).toContain("outbox_due on outbox");
  expect(lines).not.toMatch(/Seq Scan on outbox\b/);
});

test("attempts are counted by channel, provider and outcome, and receivers are no labels", () => {
  const { onAttempt, metrics } = metricsOfServer();
  const item = (lane: string) => ({ lane }) as Parameters<typeof onAttempt>[0];
  onAttempt(item("mail"), { kind: "sent", providerName: "smtp" }, 120);
  onAttempt(item("mail"), { kind: "retry", providerName: "smtp" }, 10_000);
  onAttempt(item("webhook/wh_1"), { kind: "sent" }, 5);
  onAttempt(item("webhook/wh_2"), { kind: "sent" }, 5);
  const registry = new Registry();
  registry.registerMetric(metrics[2] as (typeof metrics)[number]);
  return expect(registry.metrics()).resolves.toMatch(
    /_count\{channel="mail",provider="smtp",outcome="sent"\} 1\n[\s\S]*_count\{channel="mail",provider="smtp",outcome="retry"\} 1\n[\s\S]*_count\{channel="webhook",provider="none",outcome="sent"\} 2\n/,
  );
});
