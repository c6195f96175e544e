/** Ranges of numbers whose codes are not entered. What they are judged by is in `traffic.policy.ts`. */
import { describe, expect, test, vi } from "vitest";
import { blockMinutes, minStarts, minStartsOnProbation } from "../../src/capabilities/guard/traffic.policy.ts";
import { rowsOf } from "../capabilities/verify/verify-calls.ts";
import { others, pumped, type TrafficWorkspace, useGuardTraffic, users } from "./guard-traffic-fixture.ts";

const use = useGuardTraffic();

test("a range whose codes nobody enters is blocked when people had time, over REST and gRPC; other ranges are not", async () => {
  const workspace = await use.workspaceThatChecks();
  expect(await workspace.ask(minStarts.range)).not.toContain(403);
  expect(await workspace.blocks()).toEqual([]);
  await use.minutes(3);
  // What comes next has the range judged.
  expect(await workspace.ask(1)).toEqual([201]);
  expect(await workspace.blockedRanges()).toEqual({ "+65912x": blockMinutes.first });
  const { status, body } = await workspace.start(pumped);
  expect({ status, code: body.error.code }).toEqual({ status: 403, code: "recipient_blocked" });
  const overGrpc = use.app.grpc({ "x-api-key": workspace.key }).verify;
  await expect(overGrpc.startVerification({ channel: 3, recipient: "+6591299999" })).rejects.toThrow(
    /permission_denied/,
  );
  expect((await workspace.start(others)).status).toBe(201);
  const { body: events } = await use.app.rest("GET", "/events?type=guard_block.started", { key: workspace.key });
  expect(events.events).toMatchObject([
    { data: { number_range: "+65912x", started: minStarts.range, approved: 0, enforced: true } },
  ]);
});

test("each block is longer than the one before, a few starts bring the next one, and a day is the longest", async () => {
  const workspace = await use.workspaceThatChecks();
  // Elsewhere in the country codes are entered, so that it is not blocked as a whole.
  await workspace.approve(8, others);
  await workspace.ask(minStarts.range);
  const lengths: (number | undefined)[] = [];
  for (let block = 0; block < 5; block += 1) {
    await use.minutes(3);
    await workspace.ask(1);
    const length = (await workspace.blockedRanges())["+65912x"];
    lengths.push(length);
    // What is started in the half minute in which it ends does not count.
    await use.minutes((length ?? 0) + 1);
    expect(await workspace.blocks()).toEqual([]);
    expect(await workspace.ask(minStartsOnProbation.range)).not.toContain(403);
  }
  expect(lengths).toEqual([15, 60, 240, 960, 1_440]);
});

test("a range that is well again begins with the shortest block", async () => {
  const workspace = await use.workspaceThatChecks();
  await workspace.ask(minStarts.range);
  await use.minutes(3);
  await workspace.ask(1);
  await use.minutes(blockMinutes.first + 1);
  await workspace.approve(minStarts.range, pumped);
  await use.minutes(3);
  await workspace.approve(1, pumped);
  // The codes that were entered count for an hour.
  await use.minutes(61);
  await workspace.ask(5 * minStarts.range);
  await workspace.approve(1, users);
  await use.minutes(3);
  await workspace.ask(1);
  expect((await workspace.blockedRanges())["+65912x"]).toBe(blockMinutes.first);
});

test("messages that could not be sent do not count", async () => {
  const workspace = await use.workspaceThatChecks();
  use.sms.answer = { status: 400 };
  const answers = await Promise.all(Array.from({ length: minStarts.range }, () => workspace.start(pumped)));
  await vi.waitFor(async () => {
    const failed = "SELECT FROM outbox WHERE workspace_id = $1 AND status = 'failed'";
    expect(await rowsOf(use.app, failed, [workspace.id])).toHaveLength(answers.length);
  }, 10_000);
  use.sms.answer = { status: 200 };
  await use.eventsAreNumbered();
  await use.minutes(3);
  expect(await workspace.ask(2)).toEqual([201, 201]);
  expect(await workspace.blocks()).toEqual([]);
});

describe("a verification whose code was entered has not failed", () => {
  /** Starts, failed messages and approvals of the range. */
  const counted = async ({ id }: TrafficWorkspace) => {
    await use.eventsAreNumbered();
    const text =
      "SELECT started, failed, approved FROM guard_count WHERE workspace_id = $1 AND number_range = '+65912x'";
    return rowsOf(use.app, text, [id]);
  };
  const untilFailed = ({ id }: TrafficWorkspace) =>
    vi.waitFor(async () => {
      const failed = "SELECT FROM outbox WHERE workspace_id = $1 AND status = 'failed'";
      expect(await rowsOf(use.app, failed, [id])).toHaveLength(1);
    }, 10_000);

  test("if its message failed before", async () => {
    const workspace = await use.workspaceThatChecks();
    use.sms.answer = { status: 400 };
    const started = await workspace.start(pumped);
    await untilFailed(workspace);
    use.sms.answer = { status: 200 };
    expect(await counted(workspace)).toEqual([{ started: 1, failed: 1, approved: 0 }]);
    await workspace.enterCode(started);
    expect(await counted(workspace)).toEqual([{ started: 1, failed: 0, approved: 1 }]);
  });

  test("if nobody knows that its message was sent, and the verification ends before it is sent again", async () => {
    const workspace = await use.workspaceThatChecks();
    use.sms.answer = "hang up";
    await workspace.enterCode(await workspace.start(pumped));
    use.sms.answer = { status: 200 };
    expect(await counted(workspace)).toEqual([{ started: 1, failed: 0, approved: 1 }]);
    await use.app.time.advance({ seconds: 2 });
    await untilFailed(workspace);
    expect(await counted(workspace)).toEqual([{ started: 1, failed: 0, approved: 1 }]);
  });
});

test("a workspace that never checks codes is not judged", async () => {
  const workspace = await use.workspace();
  await workspace.ask(3 * minStarts.range);
  await use.minutes(3);
  await workspace.ask(1);
  expect(await workspace.blocks()).toEqual([]);
});

describe("while nobody's codes are entered", () => {
  test("a range that was well all day is not blocked, and one that nobody knows is", async () => {
    const workspace = await use.workspaceThatChecks();
    await workspace.approve(minStarts.range / 2, others);
    await use.minutes(90);
    await workspace.ask(minStarts.range, others);
    await workspace.ask(minStarts.range, pumped);
    await use.minutes(15);
    expect(await workspace.ask(2, others)).toEqual([201, 201]);
    await workspace.ask(1, pumped);
    expect(Object.keys(await workspace.blockedRanges())).toEqual(["+65912x"]);
    // As soon as others enter theirs, it is.
    await workspace.approve(1, users);
    await use.minutes(3);
    await workspace.ask(1, others);
    expect(Object.keys(await workspace.blockedRanges()).sort()).toEqual(["+65912x", "+65913x"]);
  });
});

test("in shadow nothing is refused, and what would have been is counted", async () => {
  const workspace = await use.workspaceThatChecks();
  await use.app.rest("PATCH", "/guard", { key: workspace.key, body: { guard_mode: "shadow" } });
  await workspace.ask(minStarts.range);
  await use.minutes(3);
  await workspace.ask(1);
  expect(await workspace.ask(2)).toEqual([201, 201]);
  const events = await use.app.rest("GET", "/events?type=guard_block.started", { key: workspace.key });
  const blocks = await use.app.rest("GET", "/guard/blocks", { key: workspace.key });
  expect([events.body.events[0].data.enforced, blocks.body.blocks[0].enforced]).toEqual([false, false]);
  const { body } = await use.app.rest("GET", "/guard/report", { key: workspace.key });
  expect(body).toMatchObject({ refused: 0, would_refuse: 2, reasons: [{ reason: "range_blocked", would_refuse: 2 }] });
});

test("with the guard switched off, nothing is counted", async () => {
  const workspace = await use.workspaceThatChecks();
  await use.app.rest("PATCH", "/guard", { key: workspace.key, body: { guard_mode: "off" } });
  await workspace.ask(minStarts.range);
  const counted = "SELECT FROM guard_count WHERE workspace_id = $1 AND number_range = '+65912x'";
  expect(await rowsOf(use.app, counted, [workspace.id])).toEqual([]);
});

test("a block that was ended by hand does not come back for what happened before", async () => {
  const workspace = await use.workspaceThatChecks();
  await workspace.ask(minStarts.range);
  await use.minutes(3);
  await workspace.ask(1);
  const [block] = await workspace.blocks();
  const deleted = await use.app.rest("DELETE", `/guard/blocks/${block?.id}`, { key: workspace.key });
  expect(deleted.status).toBe(200);
  expect(await workspace.ask(minStarts.range / 2)).not.toContain(403);
  await use.minutes(3);
  await workspace.ask(1);
  expect(await workspace.blocks()).toEqual([]);
});
