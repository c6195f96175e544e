import { createHmac } from "node:crypto";
import { afterAll, beforeAll, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { type RestAnswer, startTestApp, type TestApp } from "../../support/app.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { WhatsappFake } from "../../system/whatsapp-fake.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { markUndeliverable } from "../suppressions/mark-undeliverable.ts";
import { rowsOf } from "./verify-calls.ts";

const appSecret = "the secret of the app at Meta";

/** A poll that runs while a test moves the clock may claim a step and drop it: it is claimed again after ten seconds. */
const patienceMs = 15_000;

/** WhatsApp's answer for a number without an account. */
export const noAccount = { status: 400, body: JSON.stringify({ error: { code: 131026 } }) };

/** A server with WhatsApp, which reports deliveries, an adapter for text messages, which does not, and mail to the inbox. */
export class FallbackFixture {
  whatsapp!: WhatsappFake;
  sms!: HttpFake;
  app!: TestApp;
  session!: string;
  workspaceId!: string;
  key!: string;
  #phones = 0;

  /** A phone number that no test had before. */
  phone(): string {
    this.#phones += 1;
    return `+659123${String(this.#phones).padStart(4, "0")}`;
  }

  async open(): Promise<void> {
    this.whatsapp = await WhatsappFake.open();
    this.sms = await HttpFake.open();
    const { delivery } = parseConfig({
      WHATSAPP_TOKEN: "token",
      WHATSAPP_PHONE_NUMBER_ID: "1",
      WHATSAPP_TEMPLATE: "code",
      WHATSAPP_API_URL: this.whatsapp.url,
      SMS_URL: this.sms.url,
      PROVIDER_SECRET: "x".repeat(32),
    });
    this.app = await startTestApp({
      delivery: { ...delivery, whatsappWebhook: { appSecret, verifyToken: "a word" } },
    });
    const { session, workspaceId } = await this.app.signUp();
    this.session = session;
    this.workspaceId = workspaceId;
    await verifyEmailOf(this.app.databaseUrl, workspaceId);
    this.key = (await this.app.rest("POST", "/api-keys", { session, body: { name: "a key" } })).body.key;
  }

  async close(): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    await this.whatsapp[Symbol.asyncDispose]();
    await this.sms.close();
  }

  async start(fields: object, headers: Readonly<Record<string, string>> = {}): Promise<RestAnswer> {
    return this.app.rest("POST", "/verify/start", {
      key: this.key,
      body: { channel: "whatsapp", fallback: [{ channel: "sms" }], ...fields },
      headers,
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON of which a test says itself what it expects
  async view(id: string): Promise<any> {
    return (await this.app.rest("GET", `/verify/${id}`, { key: this.key })).body;
  }

  /** Has it known that WhatsApp cannot reach a number. */
  async suppress(recipient: string): Promise<void> {
    this.whatsapp.troubles.set(recipient, [noAccount]);
    const { body } = await this.start({ recipient, fallback: [] });
    await this.untilDelivery(body.verification_id, 0, "failed");
    await markUndeliverable(this.app.databaseUrl, body.verification_id, "no account");
  }

  /** Waits until so many attempts at the step that waits were recorded. */
  async untilAttempts(id: string, count: number): Promise<void> {
    await vi.waitFor(async () => {
      const [row] = await rowsOf(
        this.app,
        "SELECT attempts FROM outbox WHERE subject_id = $1 AND kind = 'verification_fallback' AND finished_at IS NULL",
        [id],
      );
      if (row?.attempts !== count) {
        throw new Error(`there were ${row?.attempts} attempts`);
      }
    }, patienceMs);
  }

  /** Waits until the steps of a verification are these, each with its reason if it has one. */
  async untilSteps(id: string, steps: readonly string[]) {
    return vi.waitFor(async () => {
      const view = await this.view(id);
      const found = view.fallback.map((step: { status: string; reason: string | null }) =>
        step.reason === null ? step.status : `${step.status}: ${step.reason}`,
      );
      if (found.join() !== steps.join()) {
        throw new Error(`the steps are ${found.join()} instead of ${steps.join()}`);
      }
      return view;
    }, patienceMs);
  }

  /** Waits until a message has this status. */
  async untilDelivery(id: string, index: number, status: string): Promise<void> {
    await vi.waitFor(async () => {
      const { deliveries } = await this.view(id);
      if (deliveries[index]?.status !== status) {
        throw new Error(`the message is ${deliveries[index]?.status} instead of ${status}`);
      }
    }, patienceMs);
  }

  /** The codes that were sent to a number as text messages. */
  textsTo(phone: string): string[] {
    return this.sms.requests
      .map(({ body }): { to?: string; recipient?: string; code?: string } => JSON.parse(body))
      .filter(({ to, recipient }) => (to ?? recipient) === phone)
      .map(({ code }) => code ?? "");
  }

  /** The codes that WhatsApp took for a number. */
  chatsTo(phone: string): string[] {
    return this.whatsapp.taken.get(phone) ?? [];
  }

  /** Meta's report, which it repeats until the message is recorded. */
  async report(recipient: string, status: string, errorCode?: number): Promise<void> {
    await vi.waitFor(async () => {
      const id = this.whatsapp.ids.get(recipient);
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const errors = errorCode === undefined ? [] : [{ code: errorCode }];
      const statuses = [{ id, status, timestamp, biz_opaque_callback_data: "byond", errors }];
      const body = JSON.stringify({ entry: [{ changes: [{ value: { statuses } }] }] });
      const signature = `sha256=${createHmac("sha256", appSecret).update(body).digest("hex")}`;
      const headers = { "Content-Type": "application/json", "X-Hub-Signature-256": signature };
      const response = await fetch(`${this.app.url}/webhooks/whatsapp`, { method: "POST", headers, body });
      if (id === undefined || response.status !== 200) {
        throw new Error(`the report of ${id} was answered ${response.status}`);
      }
    }, patienceMs);
  }
}

/** The fixture for all tests of a file. */
export function useFallbackFixture(): FallbackFixture {
  const fixture = new FallbackFixture();
  beforeAll(() => fixture.open());
  afterAll(() => fixture.close());
  return fixture;
}
