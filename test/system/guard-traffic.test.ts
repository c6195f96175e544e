/** Ranges of numbers whose codes are not entered. What they are judged by is in `traffic.policy.ts`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../src/app.ts";
import { blockMinutes, minStarts, minStartsOnProbation } from "../../src/capabilities/guard/traffic.policy.ts";
import { countryRange } from "../../src/text/number-range.ts";
import { plansFolder } from "../../src/text/numbering-plans.ts";
import { HttpFake } from "../capabilities/channels/http-fake.ts";
import { rowsOf } from "../capabilities/verify/verify-calls.ts";
import { type RestAnswer, startTestApp, type TestApp } from "../support/app.ts";
import { verifyEmailOf } from "../support/verified-email.ts";

let sms: HttpFake;
let app: TestApp;

beforeAll(async () => {
  sms = await HttpFake.open();
  const { delivery } = parseConfig({ SMS_URL: sms.url, PROVIDER_SECRET: "x".repeat(32) });
  app = await startTestApp({ delivery });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await sms.close();
});

/** Numbers of users elsewhere, of a range that nobody uses, and of another one. */
const [users, pumped, others] = ["+491512xxxxxxx", "+65912xxxxx", "+65913xxxxx"];

let numbers = 0;

/** A workspace with a key, and what a test does with it. */
class Workspace {
  readonly id: string;
  readonly key: string;

  private constructor(id: string, key: string) {
    this.id = id;
    this.key = key;
  }

  static async create(): Promise<Workspace> {
    const { session, workspaceId } = await app.signUp();
    await verifyEmailOf(app.databaseUrl, workspaceId);
    const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "a key", scopes: ["*"] } });
    return new Workspace(workspaceId, body.key);
  }

  /** A workspace whose codes are entered, somewhere else than where the test looks. */
  static async thatChecks(): Promise<Workspace> {
    const workspace = await Workspace.create();
    await workspace.approve(1, users);
    return workspace;
  }

  /** Starts a verification for a number. An `x` stands for any digit. */
  async start(pattern: string): Promise<RestAnswer & { readonly recipient: string }> {
    numbers += 1;
    const prefix = pattern.replaceAll("x", "");
    const recipient = prefix + String(numbers).padStart(pattern.length - prefix.length, "0");
    const answer = await app.rest("POST", "/verify/start", { key: this.key, body: { channel: "sms", recipient } });
    return { ...answer, recipient };
  }

  /** Starts so many verifications, whose codes nobody enters. Returns the statuses of the answers. */
  async ask(count: number, pattern = pumped): Promise<number[]> {
    const answers = await Promise.all(Array.from({ length: count }, () => this.start(pattern)));
    await eventsAreNumbered();
    return answers.map(({ status }) => status);
  }

  /** Starts so many verifications, and enters their codes. */
  async approve(count: number, pattern: string): Promise<void> {
    const answers = await Promise.all(Array.from({ length: count }, () => this.start(pattern)));
    for (const started of answers) {
      await this.enterCode(started);
    }
    await eventsAreNumbered();
  }

  /** Enters the code that was sent. */
  async enterCode({ body, recipient }: Awaited<ReturnType<Workspace["start"]>>): Promise<void> {
    const { code } = JSON.parse(await untilSent(recipient));
    const { verification_id } = body;
    const checked = await app.rest("POST", "/verify/check", { key: this.key, body: { verification_id, code } });
    expect(checked.body.status).toBe("approved");
  }

  async blocks(): Promise<readonly { readonly id: string; readonly number_range: string; readonly minutes: number }[]> {
    const { body } = await app.rest("GET", "/guard/blocks", { key: this.key });
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

async function eventsAreNumbered(): Promise<void> {
  for (let moved = 1; moved > 0; ) {
    const [row] = await rowsOf(app, "SELECT moved FROM number_events(0, 1000)");
    moved = Number(row?.moved);
  }
}

/** The request to the adapter that has the code for a number. */
function untilSent(recipient: string): Promise<string> {
  return vi.waitFor(() => {
    const sent = sms.requests.find(({ body }) => body.includes(recipient));
    if (sent === undefined) {
      throw new Error(`no message to ${recipient}`);
    }
    return sent.body;
  }, 10_000);
}

const minutes = (count: number) => app.time.advance({ seconds: 60 * count });

test("a range whose codes nobody enters is blocked when people had time, over REST and gRPC; other ranges are not", async () => {
  const workspace = await Workspace.thatChecks();
  expect(await workspace.ask(minStarts.range)).not.toContain(403);
  expect(await workspace.blocks()).toEqual([]);
  await minutes(3);
  // What comes next has the range judged.
  expect(await workspace.ask(1)).toEqual([201]);
  expect(await workspace.blockedRanges()).toEqual({ "+65912x": blockMinutes.first });
  const { status, body } = await workspace.start(pumped);
  expect({ status, code: body.error.code }).toEqual({ status: 403, code: "recipient_blocked" });
  const overGrpc = app.grpc({ "x-api-key": workspace.key }).verify;
  await expect(overGrpc.startVerification({ channel: 3, recipient: "+6591299999" })).rejects.toThrow(
    /permission_denied/,
  );
  expect((await workspace.start(others)).status).toBe(201);
  const { body: events } = await app.rest("GET", "/events?type=guard_block.started", { key: workspace.key });
  expect(events.events).toMatchObject([
    { data: { number_range: "+65912x", started: minStarts.range, approved: 0, enforced: true } },
  ]);
});

test("each block is longer than the one before, a few starts bring the next one, and a day is the longest", async () => {
  const workspace = await Workspace.thatChecks();
  // Elsewhere in the country codes are entered, so that it is not blocked as a whole.
  await workspace.approve(8, others);
  await workspace.ask(minStarts.range);
  const lengths: (number | undefined)[] = [];
  for (let block = 0; block < 5; block += 1) {
    await minutes(3);
    await workspace.ask(1);
    const length = (await workspace.blockedRanges())["+65912x"];
    lengths.push(length);
    // What is started in the half minute in which it ends does not count.
    await minutes((length ?? 0) + 1);
    expect(await workspace.blocks()).toEqual([]);
    expect(await workspace.ask(minStartsOnProbation.range)).not.toContain(403);
  }
  expect(lengths).toEqual([15, 60, 240, 960, 1_440]);
});

test("a range that is well again begins with the shortest block", async () => {
  const workspace = await Workspace.thatChecks();
  await workspace.ask(minStarts.range);
  await minutes(3);
  await workspace.ask(1);
  await minutes(blockMinutes.first + 1);
  await workspace.approve(minStarts.range, pumped);
  await minutes(3);
  await workspace.approve(1, pumped);
  // The codes that were entered count for an hour.
  await minutes(61);
  await workspace.ask(5 * minStarts.range);
  await workspace.approve(1, users);
  await minutes(3);
  await workspace.ask(1);
  expect((await workspace.blockedRanges())["+65912x"]).toBe(blockMinutes.first);
});

test("messages that could not be sent do not count", async () => {
  const workspace = await Workspace.thatChecks();
  sms.answer = { status: 400 };
  const answers = await Promise.all(Array.from({ length: minStarts.range }, () => workspace.start(pumped)));
  await vi.waitFor(async () => {
    const failed = "SELECT FROM outbox WHERE workspace_id = $1 AND status = 'failed'";
    expect(await rowsOf(app, failed, [workspace.id])).toHaveLength(answers.length);
  }, 10_000);
  sms.answer = { status: 200 };
  await eventsAreNumbered();
  await minutes(3);
  expect(await workspace.ask(2)).toEqual([201, 201]);
  expect(await workspace.blocks()).toEqual([]);
});

describe("a verification whose code was entered has not failed", () => {
  /** Starts, failed messages and approvals of the range. */
  const counted = async ({ id }: Workspace) => {
    await eventsAreNumbered();
    const text =
      "SELECT started, failed, approved FROM guard_count WHERE workspace_id = $1 AND number_range = '+65912x'";
    return rowsOf(app, text, [id]);
  };
  const untilFailed = ({ id }: Workspace) =>
    vi.waitFor(async () => {
      const failed = "SELECT FROM outbox WHERE workspace_id = $1 AND status = 'failed'";
      expect(await rowsOf(app, failed, [id])).toHaveLength(1);
    }, 10_000);

  test("if its message failed before", async () => {
    const workspace = await Workspace.thatChecks();
    sms.answer = { status: 400 };
    const started = await workspace.start(pumped);
    await untilFailed(workspace);
    sms.answer = { status: 200 };
    expect(await counted(workspace)).toEqual([{ started: 1, failed: 1, approved: 0 }]);
    await workspace.enterCode(started);
    expect(await counted(workspace)).toEqual([{ started: 1, failed: 0, approved: 1 }]);
  });

  test("if nobody knows that its message was sent, and the verification ends before it is sent again", async () => {
    const workspace = await Workspace.thatChecks();
    sms.answer = "hang up";
    await workspace.enterCode(await workspace.start(pumped));
    sms.answer = { status: 200 };
    expect(await counted(workspace)).toEqual([{ started: 1, failed: 0, approved: 1 }]);
    await app.time.advance({ seconds: 2 });
    await untilFailed(workspace);
    expect(await counted(workspace)).toEqual([{ started: 1, failed: 0, approved: 1 }]);
  });
});

test("a workspace that never checks codes is not judged", async () => {
  const workspace = await Workspace.create();
  await workspace.ask(3 * minStarts.range);
  await minutes(3);
  await workspace.ask(1);
  expect(await workspace.blocks()).toEqual([]);
});

describe("while nobody's codes are entered", () => {
  test("a range that was well all day is not blocked, and one that nobody knows is", async () => {
    const workspace = await Workspace.thatChecks();
    await workspace.approve(minStarts.range / 2, others);
    await minutes(90);
    await workspace.ask(minStarts.range, others);
    await workspace.ask(minStarts.range, pumped);
    await minutes(15);
    expect(await workspace.ask(2, others)).toEqual([201, 201]);
    await workspace.ask(1, pumped);
    expect(Object.keys(await workspace.blockedRanges())).toEqual(["+65912x"]);
    // As soon as others enter theirs, it is.
    await workspace.approve(1, users);
    await minutes(3);
    await workspace.ask(1, others);
    expect(Object.keys(await workspace.blockedRanges()).sort()).toEqual(["+65912x", "+65913x"]);
  });
});

test("many ranges of a country with a few starts each are blocked together", async () => {
  const workspace = await Workspace.thatChecks();
  for (let range = 0; range < 10; range += 1) {
    await workspace.ask(minStarts.country / 10, `+6281${30 + range}xxxxxxx`);
  }
  await minutes(3);
  await workspace.ask(1, "+628150xxxxxxx");
  expect(await workspace.blockedRanges()).toEqual({ "+62x": blockMinutes.first });
  expect((await workspace.start("+628160xxxxxxx")).status).toBe(403);
});

describe("a country is not blocked", () => {
  test("for what was seen of a range before its block was ended", async () => {
    const workspace = await Workspace.thatChecks();
    await workspace.ask(minStarts.range);
    await minutes(3);
    await workspace.ask(1);
    const [block] = await workspace.blocks();
    await app.rest("DELETE", `/guard/blocks/${block?.id}`, { key: workspace.key });
    await minutes(1);
    await workspace.ask(5);
    for (let range = 0; range < 3; range += 1) {
      await workspace.ask(4, `+65${range + 80}1xxxxx`);
    }
    await minutes(3);
    await workspace.ask(1, others);
    expect(await workspace.blocks()).toEqual([]);
  });

  test("for one range, which is blocked itself; a second one closes it", async () => {
    const workspace = await Workspace.thatChecks();
    await workspace.ask(minStarts.country + 10);
    await minutes(3);
    await workspace.ask(1);
    expect(Object.keys(await workspace.blockedRanges())).toEqual(["+65912x"]);
    await workspace.ask(minStarts.range, others);
    await minutes(3);
    await workspace.ask(1, others);
    await minutes(1);
    await workspace.ask(1, "+65821xxxxx");
    expect(Object.keys(await workspace.blockedRanges()).sort()).toEqual(["+65912x", "+65913x", "+65x"]);
  });
});

test("in shadow nothing is refused, and what would have been is counted", async () => {
  const workspace = await Workspace.thatChecks();
  await app.rest("PATCH", "/guard", { key: workspace.key, body: { guard_mode: "shadow" } });
  await workspace.ask(minStarts.range);
  await minutes(3);
  await workspace.ask(1);
  expect(await workspace.ask(2)).toEqual([201, 201]);
  const events = await app.rest("GET", "/events?type=guard_block.started", { key: workspace.key });
  const blocks = await app.rest("GET", "/guard/blocks", { key: workspace.key });
  expect([events.body.events[0].data.enforced, blocks.body.blocks[0].enforced]).toEqual([false, false]);
  const { body } = await app.rest("GET", "/guard/report", { key: workspace.key });
  expect(body).toMatchObject({ refused: 0, would_refuse: 2, reasons: [{ reason: "range_blocked", would_refuse: 2 }] });
});

test("with the guard switched off, nothing is counted", async () => {
  const workspace = await Workspace.thatChecks();
  await app.rest("PATCH", "/guard", { key: workspace.key, body: { guard_mode: "off" } });
  await workspace.ask(minStarts.range);
  const counted = "SELECT FROM guard_count WHERE workspace_id = $1 AND number_range = '+65912x'";
  expect(await rowsOf(app, counted, [workspace.id])).toEqual([]);
});

test("a block that was ended by hand does not come back for what happened before", async () => {
  const workspace = await Workspace.thatChecks();
  await workspace.ask(minStarts.range);
  await minutes(3);
  await workspace.ask(1);
  const [block] = await workspace.blocks();
  const deleted = await app.rest("DELETE", `/guard/blocks/${block?.id}`, { key: workspace.key });
  expect(deleted.status).toBe(200);
  expect(await workspace.ask(minStarts.range / 2)).not.toContain(403);
  await minutes(3);
  await workspace.ask(1);
  expect(await workspace.blocks()).toEqual([]);
});

test("workspaces under the floor share a bucket for each recipient, until their codes are entered again", async () => {
  const [one, other] = [await Workspace.thatChecks(), await Workspace.thatChecks()];
  for (const workspace of [one, other]) {
    for (let range = 0; range < 10; range += 1) {
      await workspace.ask(minStarts.workspace / 10, `+2348${range}31xxxxxx`);
    }
  }
  await minutes(3);
  await Promise.all([one.ask(1, "+447946xxxxxx"), other.ask(1, "+447946xxxxxx")]);
  const send = async (workspace: Workspace) =>
    (
      await app.rest("POST", "/verify/start", {
        key: workspace.key,
        body: { channel: "sms", recipient: "+31612345678" },
      })
    ).status;
  expect([await send(one), await send(one), await send(one)]).toEqual([201, 201, 201]);
  expect(await send(other)).toBe(429);
  await other.approve(20, users);
  await minutes(3);
  await other.approve(1, users);
  expect(await send(other)).toBe(201);
});

test("the database knows calling codes as the server does", async () => {
  const plans: { readonly country_calling_codes: object } = JSON.parse(
    readFileSync(join(plansFolder, "numbering-plans.json"), "utf8"),
  );
  const numbers = Object.keys(plans.country_calling_codes).map((code) => `+${code}234567890`);
  const rows = await rowsOf(
    app,
    `SELECT guard_country_range(number) AS range FROM unnest('{${numbers.join(",")}}'::text[]) AS number`,
  );
  expect(rows.map(({ range }) => range)).toEqual(numbers.map(countryRange));
});
