/**
 * The metrics, the dashboard and the alerts, with a real Prometheus: its promtool has nothing to say against them, and each query has data once
 * there was some traffic.
 */
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../src/app.ts";
import { whatsappMessageId } from "../../src/capabilities/channels/whatsapp/whatsapp-outcome.ts";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { missingOf } from "../clients/toolchains.ts";
import { makeTlsFolder } from "../server/tls-folder.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { verifyEmailOf } from "../support/verified-email.ts";
import { WhatsappFake } from "../system/whatsapp-fake.ts";
import { Prometheus } from "./prometheus.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const alerts = join(deploy, "prometheus/alerts.yaml");
const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  await readFile(join(deploy, "grafana/dashboard.json"), "utf8"),
);
const rules: { readonly groups: readonly { readonly rules: readonly Rule[] }[] } = parse(
  await readFile(alerts, "utf8"),
);

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const appSecret = "the app's secret";
const missing = missingOf(["prometheus", "promtool"]);

describe.skipIf(missing !== undefined)(`with Prometheus${missing === undefined ? "" : `: no ${missing}`}`, () => {
  const resources = new AsyncDisposableStack();
  let whatsapp: WhatsappFake;
  let mail: SmtpSink;
  let app: TestApp;
  let prometheus: Prometheus;
  let session: string;
  let key: string;
  let rounds = 0;

  beforeAll(async () => {
    whatsapp = resources.use(await WhatsappFake.open());
    mail = await SmtpSink.open();
    resources.defer(() => mail.close());
    const parsed = parseConfig({
      WHATSAPP_TOKEN: "token",
      WHATSAPP_PHONE_NUMBER_ID: "1",
      WHATSAPP_TEMPLATE: "code",
      WHATSAPP_API_URL: whatsapp.url,
    });
    const delivery = {
      ...parsed.delivery,
      smtp: { url: mail.url, from: "Acme <no-reply@acme.example>" },
      whatsappWebhook: { appSecret, verifyToken: "a word" },
    };
    app = resources.use(await startTestApp({ delivery }));
    const account = await app.signUp();
    session = account.session;
    await verifyEmailOf(app.databaseUrl, account.workspaceId);
    key = (await app.rest("POST", "/api-keys", { session, body: { name: "key", requests_per_minute: 600 } })).body.key;
    const folder = resources.use(await makeTlsFolder({ expiresAtMs: Date.now() + 90 * 86_400_000 }));
    const secure = resources.use(await app.startAnother({ delivery, tls: folder.tls }));
    const [target, secureTarget] = [new URL(app.url).host, new URL(secure.url).host];
    prometheus = resources.use(await Prometheus.start({ target, secureTarget, ruleFile: alerts }));
  });
  afterAll(() => resources.disposeAsync());

  /** Some of everything: codes that arrive, are wrong and are approved, reports, refusals, sign-ins and revocations. */
  async function traffic(): Promise<void> {
    rounds += 1;
    const start = (channel: string, recipient: string) =>
      app.rest("POST", "/verify/start", { key, body: { channel, recipient } });
    const check = (verificationId: string, code: string) =>
      app.rest("POST", "/verify/check", { key, body: { verification_id: verificationId, code } });
    const address = `ada-${rounds}@example.com`;
    const { status, body: mailed } = await start("email", address);
    expect([status, mailed]).toEqual([201, expect.anything()]);
    await expect.poll(() => mail.mails.some(({ to }) => to.includes(address))).toBe(true);
    const received = mail.mails.find(({ to }) => to.includes(address));
    await check(mailed.verification_id, "000000");
    await check(mailed.verification_id, /\b\d{6}\b/.exec(received?.source ?? "")?.[0] ?? "");
    const phone = `+65912345${String(rounds).padStart(2, "0")}`;
    if (rounds === 1) {
      whatsapp.troubles.set(phone, [{ status: 503, body: "{}" }]);
    }
    await start("whatsapp", phone);
    await expect.poll(() => whatsapp.ids.has(phone)).toBe(true);
    await report(phone);
    await app.rest("GET", "/lookup?number=%2B6591234567", { key });
    await app.rest("GET", "/lookup?number=%2B6591234567", { key: "pk_live_8fa2.s3cr3t" });
    await app.rest("POST", "/auth/sign-in", { body: { email: "nobody@example.com", password: "a wrong password" } });
    const { body: other } = await app.rest("POST", "/api-keys", { session, body: { name: "other" } });
    await app.rest("DELETE", `/api-keys/${other.id}`, { session });
  }

  /** Reports a message of WhatsApp as delivered, as Meta does. */
  async function report(phone: string): Promise<void> {
    const status = {
      id: whatsapp.ids.get(phone),
      status: "delivered",
      timestamp: String(Math.floor(Date.now() / 1_000)),
      recipient_id: phone.slice(1),
      biz_opaque_callback_data: "byond",
    };
    const value = { messaging_product: "whatsapp", metadata: { phone_number_id: "1" }, statuses: [status] };
    const body = JSON.stringify({
      object: "whatsapp_business_account",
      entry: [{ id: "1", changes: [{ value, field: "messages" }] }],
    });
    expect(whatsappMessageId(status.id ?? "")).toBeDefined();
    const signature = `sha256=${createHmac("sha256", appSecret).update(body).digest("hex")}`;
    // Refused until the message is recorded as sent.
    const send = async () =>
      (
        await fetch(`${app.url}/webhooks/whatsapp`, {
          method: "POST",
          body,
          headers: { "X-Hub-Signature-256": signature },
        })
      ).status;
    await expect.poll(send).toBe(200);
  }

  /** Sends traffic until all queries have a value. Returns those that have none in the end. */
  async function untilAllHaveData(queries: ReadonlyMap<string, string>): Promise<string[]> {
    const without = async () => {
      const found = await Promise.all(
        Array.from(queries, async ([name, query]) => {
          const samples = await prometheus.query(query);
          return samples.some(({ value }) => value !== "NaN") ? [] : [`${name}: ${query}`];
        }),
      );
      return found.flat();
    };
    const endsAtMs = performance.now() + 40_000;
    let left = await without();
    while (left.length > 0 && performance.now() < endsAtMs) {
      await traffic();
      left = await without();
    }
    return left;
  }

  test("promtool accepts the metrics and their names", async () => {
    await traffic();
    const text = await (await fetch(`${app.url}/metrics`)).text();
    const checked = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
    expect([checked.status, checked.stdout, checked.stderr]).toEqual([0, "", ""]);
  });

  test.each([["check"], ["test"]])("promtool accepts the alerts: %s rules", (command) => {
    const file = command === "check" ? alerts : join(deploy, "prometheus/alerts.test.yaml");
    const { status, stdout, stderr } = spawnSync("promtool", [command, "rules", file], { encoding: "utf8" });
    expect(stdout + stderr).toContain("SUCCESS");
    expect(status).toBe(0);
  });

  test("each query of each panel has data", async () => {
    const panels = dashboard.panels.filter(({ type }) => type !== "row");
    const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    expect(queries.length).toBeGreaterThan(60);
    const inTime = queries.map(([title, expr]): [string, string] => [
      `${title} ${expr}`,
      expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".+"),
    ]);
    expect(await untilAllHaveData(new Map(inTime))).toEqual([]);
  });

  test("the expression of each alert has data, and none fires in a server that works", async () => {
    const all = rules.groups.flatMap((group) => group.rules);
    // A comparison has no value where it does not hold: with `bool`, it says 0 or 1.
    const comparing = all.map(({ alert, expr }): [string, string] => [
      alert,
      expr.replace(/ (==|>|<) (?=[\d.])/g, " $1 bool "),
    ]);
    expect(comparing.every(([, expr]) => expr.includes(" bool "))).toBe(true);
    expect(await untilAllHaveData(new Map(comparing))).toEqual([]);
    expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
  });
});
