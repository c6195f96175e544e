/** A step of a fallback that the guard refuses, because something changed after the start, is not taken: the following one comes at once. */
import { afterEach, expect, test, vi } from "vitest";
import { blockRange } from "../capabilities/guard/guard-calls.ts";
import { useFallbackFixture } from "../capabilities/verify/fallback-fixture.ts";

const use = useFallbackFixture();

const update = async (changes: object) => {
  const { status } = await use.app.rest("PATCH", "/guard", { session: use.session, body: changes });
  expect(status).toBe(200);
};

const blocksOf = async (): Promise<{ id: string }[]> =>
  (await use.app.rest("GET", "/guard/blocks", { session: use.session })).body.blocks;

afterEach(async () => {
  await update({ guard_mode: "enforce", blocked_countries: [] });
  for (const { id } of await blocksOf()) {
    await use.app.rest("DELETE", `/guard/blocks/${id}`, { session: use.session });
  }
});

/** What changes, and the reason of the refusal. */
const changes: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["country_not_allowed", () => update({ blocked_countries: ["SG"] })],
  ["range_blocked", () => blockRange(use.app, use.workspaceId, "+65912x")],
];

/** Starts with two steps, the first of which is due after the change. */
async function startAndChange(change: () => Promise<unknown>) {
  const recipient = use.phone();
  const email = `guarded-${recipient.slice(1)}@example.com`;
  const fallback = [
    { channel: "sms", after_seconds: 5 },
    { channel: "email", recipient: email, after_seconds: 600 },
  ];
  const { status, body } = await use.start({ recipient, fallback, ttl_seconds: 600 });
  expect(status).toBe(201);
  await use.untilDelivery(body.verification_id, 0, "sent");
  await change();
  await use.app.time.advance({ seconds: 6 });
  return { id: String(body.verification_id), recipient, email };
}

const refusals = async () =>
  (await use.app.rest("GET", "/events?type=guard_refusal.recorded", { key: use.key })).body.events;

test.each(changes)("refused as %s, it says so in the view, and is counted once", async (reason, change) => {
  const before = (await refusals()).length;
  const { id, recipient, email } = await startAndChange(change);
  const view = await use.untilSteps(id, ["refused: not_allowed", "taken"]);
  expect(view.fallback[0]).toMatchObject({ channel: "sms", taken_at: null, delivery_id: null });
  expect(view.deliveries.map(({ channel }: { channel: string }) => channel)).toEqual(["whatsapp", "email"]);
  expect((await use.app.messageTo(email)).text).toContain(use.chatsTo(recipient)[0]);
  expect(use.textsTo(recipient)).toEqual([]);
  await vi.waitFor(async () => expect(await refusals()).toHaveLength(before + 1));
  const [event] = await refusals();
  expect(event.data).toMatchObject({ reason, enforced: true, channel: "sms", country: "SG", number_range: "+65912x" });
});

test("in shadow it is taken, and counted with its verification", async () => {
  const before = (await refusals()).length;
  const { id, recipient } = await startAndChange(() => update({ guard_mode: "shadow", blocked_countries: ["SG"] }));
  await use.untilSteps(id, ["taken", "skipped: delivered"]);
  await use.untilDelivery(id, 1, "sent");
  expect(use.textsTo(recipient)).toEqual(use.chatsTo(recipient));
  await vi.waitFor(async () => expect(await refusals()).toHaveLength(before + 1));
  const [event] = await refusals();
  expect(event.data).toMatchObject({
    reason: "country_not_allowed",
    enforced: false,
    channel: "sms",
    verification_id: id,
  });
});
