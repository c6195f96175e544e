import { afterAll, beforeAll, expect, vi } from "vitest";
import { parseConfig } from "../../src/app.ts";
import { HttpFake } from "../capabilities/channels/http-fake.ts";
import { rowsOf } from "../capabilities/verify/verify-calls.ts";
import { type RestAnswer, startTestApp, type TestApp } from "../support/app.ts";
import { verifyEmailOf } from "../support/verified-email.ts";

/** Numbers of users elsewhere, of a range that nobody uses, and of another one of its country. */
export const [users, pumped, others] = ["+491512xxxxxxx", "+65912xxxxx", "+65913xxxxx"];

/** A server with an adapter for text messages, whose clock tests move. */
export class GuardTrafficFixture {
  sms!: HttpFake;
  app!: TestApp;
  #numbers = 0;

  async open(): Promise<void> {
    this.sms = await HttpFake.open();
    const { delivery } = parseConfig({ SMS_URL: this.sms.url, PROVIDER_SECRET: "x".repeat(32) });
    this.app = await startTestApp({ delivery });
  }

  async close(): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    await this.sms.close();
  }

  async workspace(): Promise<TrafficWorkspace> {
    const { session, workspaceId } = await this.app.signUp();
    await verifyEmailOf(this.app.databaseUrl, workspaceId);
    const { body } = await this.app.rest("POST", "/api-keys", { session, body: { name: "a key", scopes: ["*"] } });
    return new TrafficWorkspace(this, workspaceId, body.key);
  }

  /** A workspace whose codes are entered, somewhere else than where the test looks. */
  async workspaceThatChecks(): Promise<TrafficWorkspace> {
    const workspace = await this.workspace();
    await workspace.approve(1, users);
    return workspace;
  }

  minutes(count: number): Promise<void> {
    return this.app.time.advance({ seconds: 60 * count });
  }

  /** A number that no test had before. An `x` of the pattern stands for any digit. */
  number(pattern: string): string {
    this.#numbers += 1;
    const prefix = pattern.replaceAll("x", "");
    return prefix + String(this.#numbers).padStart(pattern.length - prefix.length, "0");
  }

  async eventsAreNumbered(): Promise<void> {
    for (let moved = 1; moved > 0; ) {
      const [row] = await rowsOf(this.app, "SELECT moved FROM number_events(0, 1000)");
      moved = Number(row?.moved);
    }
  }

  /** The request to the adapter that has the code for a number. */
  untilSent(recipient: string): Promise<string> {
    return vi.waitFor(() => {
      const sent = this.sms.requests.find(({ body }) => body.includes(recipient));
      if (sent === undefined) {
        throw new Error(`no message to ${recipient}`);
      }
      return sent.body;
    }, 10_000);
  }
}

/** A workspace with a key, and what a test does with it. */
export class TrafficWorkspace {
  readonly #use: GuardTrafficFixture;
  readonly id: string;
  readonly key: string;

  constructor(use: GuardTrafficFixture, id: string, key: string) {
    this.#use = use;
    this.id = id;
    this.key = key;
  }

  /** Starts a verification for a new number. */
  async start(pattern: string): Promise<RestAnswer & { readonly recipient: string }> {
    const recipient = this.#use.number(pattern);
    const body = { channel: "sms", recipient };
    return { ...(await this.#use.app.rest("POST", "/verify/start", { key: this.key, body })), recipient };
  }

  /** Starts so many verifications, whose codes nobody enters. Returns the statuses of the answers. */
  async ask(count: number, pattern = pumped): Promise<number[]> {
    const answers = await Promise.all(Array.from({ length: count }, () => this.start(pattern)));
    await this.#use.eventsAreNumbered();
    return answers.map(({ status }) => status);
  }

  /** Starts so many verifications, and enters their codes. */
  async approve(count: number, pattern: string): Promise<void> {
    const answers = await Promise.all(Array.from({ length: count }, () => this.start(pattern)));
    for (const started of answers) {
      await this.enterCode(started);
    }
    await this.#use.eventsAreNumbered();
  }

  /** Enters the code that was sent. */
  async enterCode({ body, recipient }: Awaited<ReturnType<TrafficWorkspace["start"]>>): Promise<void> {
    const { code } = JSON.parse(await this.#use.untilSent(recipient));
    const { verification_id } = body;
    const checked = await this.#use.app.rest("POST", "/verify/check", {
      key: this.key,
      body: { verification_id, code },
    });
    expect(checked.body.status).toBe("approved");
  }

  async blocks(): Promise<readonly { readonly id: string; readonly number_range: string; readonly minutes: number }[]> {
    const { body } = await this.#use.app.rest("GET", "/guard/blocks", { key: this.key });
    return body.blocks.map((block: { id: string; number_range: string; starts_at: string; ends_at: string }) => ({
      id: block.id,
      number_range: block.number_range,
      minutes: Math.round((Date.parse(block.ends_at) - Date.parse(block.starts_at)) / 60_000),
    }));
  }

  /** The blocks by range, with how long they are. */
  async blockedRanges(): Promise<Readonly<Record<string, number>>> {
    return Object.fromEntries((await this.blocks()).map(({ number_range, minutes }) => [number_range, minutes]));
  }
}

/** A fixture for the tests of a file. */
export function useGuardTraffic(): GuardTrafficFixture {
  const fixture = new GuardTrafficFixture();
  beforeAll(() => fixture.open());
  afterAll(() => fixture.close());
  return fixture;
}
