/** What `/metrics` promises: names, documents, and series that nobody can multiply. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { errorKinds } from "../../src/errors.ts";
import { startTestApp, type TestApp, useTestApp } from "../support/app.ts";
import { metricsOf } from "./read-metrics.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFile(join(root, path), "utf8");
const app = useTestApp();

/** The names of the metrics that a server has. */
async function namesOf({ url }: TestApp): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name = ""]) => name);
}

test("each metric has a row in monitoring.md, and there are no others", async () => {
  const [, table = ""] = (await read("docs/guides/monitoring.md")).match(/^## Metrics\n(.*)/ms) ?? [];
  const documented = Array.from(table.matchAll(/^\| (`[^|]+`) \|/gm), ([, cell = ""]) =>
    cell.replaceAll("`", "").split(", "),
  );
  expect(documented.flat().toSorted()).toEqual((await namesOf(app)).toSorted());
});

test.each(["deploy/grafana/dashboard.json", "deploy/prometheus/alerts.yaml"])(
  "%s uses metrics that there are",
  async (path) => {
    const names = new Set(await namesOf(app));
    const used = new Set((await read(path)).match(/\b(byond|process|nodejs)_[a-z_]+/g));
    expect(used.size).toBeGreaterThan(10);
    const isKnown = (name: string) => names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, ""));
    expect([...used].filter((name) => !isKnown(name))).toEqual([]);
  },
);

test("paths that do not exist, forged keys and other nonsense make no series of their own", async () => {
  const forgedKeys = (index: number) => ({
    "X-API-Key": `pk_live_${index.toString(36).padStart(4, "0")}.forged_${index}`,
  });
  const nonsense = async (from: number) => {
    for (let index = from; index < from + 20; index += 1) {
      await fetch(`${app.url}/nowhere/${index}?q=${index}`);
      await fetch(`${app.url}/api/v1/verify/${index}-that-is-no-id`, { headers: forgedKeys(index) });
      await fetch(`${app.url}/api/v1/lookup?number=${index}`, { headers: forgedKeys(index), method: "POST" });
      await fetch(`${app.url}/byond.v1.Nowhere${index}/Method${index}`, { method: "POST" });
      await fetch(`${app.url}/byond.v1.VerifyService/Method${index}`, {
        method: "POST",
        headers: { "Content-Type": "application/grpc", ...forgedKeys(index) },
      });
      await fetch(`${app.url}/console/${index}`);
      await fetch(`${app.url}/webhooks/sms/provider-${index}`, { method: "POST" });
    }
  };
  await nonsense(0);
  const seriesBefore = (await metricsOf(app)).map(({ series }) => series);
  await nonsense(1_000);
  const seriesAfter = (await metricsOf(app)).map(({ series }) => series);
  // What the server does by the clock may happen for the first time meanwhile.
  const byTheClock =
    /statement="(?:(?:revocation_|update_last_used|quota_reserve|outbox_|sweep_|number_events|add_)\w*|\w+_sweep)"/;
  expect(seriesAfter.filter((series) => !seriesBefore.includes(series) && !byTheClock.test(series))).toEqual([]);
  expect(seriesAfter.length).toBeLessThan(3_000);
});

test("refusals are counted by the code of their error, over REST and gRPC", async () => {
  const counted = async (code: string) => sumOf(await metricsOf(app), "byond_errors_total", { code });
  const [keys, fields] = [await counted("invalid_api_key"), await counted("validation_error")];
  await app.rest("GET", "/lookup?number=1", { key: "pk_live_8fa2.s3cr3t" });
  await app
    .grpc({ "X-API-Key": "pk_live_8fa2.s3cr3t" })
    .lookup.lookupNumber({ number: "1" })
    .catch(() => undefined);
  await app.rest("POST", "/auth/sign-in", { body: {} });
  expect([await counted("invalid_api_key"), await counted("validation_error")]).toEqual([keys + 2, fields + 1]);
  const codes = (await metricsOf(app))
    .filter(({ name }) => name === "byond_errors_total")
    .map(({ labels }) => labels.code);
  expect(codes.toSorted()).toEqual(Object.keys(errorKinds).toSorted());
});

test("a verification is counted from its start over its message to its approval", async () => {
  await using own = await startTestApp({ defaultTier: "starter" });
  const key = await own.mintKey();
  const start = () =>
    own.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "ada@example.com" } });
  const { body } = await start();
  const [code] = /\d{6}/.exec((await own.messageTo("ada@example.com")).text) ?? [];
  for (const submitted of ["000000", code]) {
    await own.rest("POST", "/verify/check", { key, body: { verification_id: body.verification_id, code: submitted } });
  }
  const value = async (name: string, labels: Readonly<Record<string, string>> = {}) =>
    sumOf(await metricsOf(own), name, labels);
  expect(await value("byond_verifications_started_total", { mode: "live", channel: "email" })).toBe(1);
  await vi.waitFor(async () =>
    expect(await value("byond_delivery_duration_seconds_count", { channel: "email", outcome: "sent" })).toBe(1),
  );
  expect(await value("byond_verification_checks_total", { mode: "live", status: "approved" })).toBe(1);
  expect(await value("byond_verification_checks_total", { mode: "live", status: "incorrect" })).toBe(1);
  expect(await value("byond_verification_checks_total", { mode: "test", status: "approved" })).toBe(0);
  expect(await value("byond_database_statements_total", { statement: "check_verification" })).toBe(2);
  expect(await value("byond_database_statement_failures_total", { statement: "check_verification" })).toBe(0);
  expect(await value("byond_password_hashes_total")).toBeGreaterThan(0);
  expect(await value("byond_key_hashes_total")).toBeGreaterThan(0);
  expect(await value("byond_quota_decisions_total", { result: "admitted" })).toBeGreaterThan(2);
  expect(await value("byond_database_pool_connections", { state: "idle" })).toBeGreaterThan(0);
  expect(await value("byond_http_requests_in_flight")).toBe(1);
});

/** The sum of the series that have these labels. */
function sumOf(
  metrics: Awaited<ReturnType<typeof metricsOf>>,
  wanted: string,
  wantedLabels: Readonly<Record<string, string>>,
): number {
  return metrics
    .filter(
      ({ name, labels }) =>
        name === wanted && Object.entries(wantedLabels).every(([key, value]) => labels[key] === value),
    )
    .reduce((sum, { value }) => sum + value, 0);
}
