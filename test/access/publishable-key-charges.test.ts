/** What a page learns of the balance and of caps: nothing. It is told what it is told of a recipient that cannot be reached. */
import { expect, test } from "vitest";
import { openWorkspace, usePricedApp } from "../capabilities/balance/balance-fixture.ts";

const app = usePricedApp();
const shop = "https://shop.example";

test.each([
  ["insufficient_balance", 1, undefined],
  ["spend_cap_reached", 50, { amount: "0.01", period: "month" }],
] as const)("a page whose resend is refused with %s does not learn why", async (code, cents, cap) => {
  const { session, key } = await openWorkspace(app, cents);
  if (cap !== undefined) {
    expect((await app.rest("PUT", "/spend-caps/workspace", { session, body: cap })).status).toBe(200);
  }
  const page = await app.rest("POST", "/api-keys", { session, body: { name: "a page", origins: [shop] } });
  const started = await app.rest("POST", "/verify/start", {
    key,
    body: { channel: "email", recipient: `${code}@example.com` },
  });
  expect(started.status, JSON.stringify(started.body)).toBe(201);
  app.time.advance({ seconds: 120 });
  const { status, body } = await app.rest("POST", `/verify/${started.body.verification_id}/resend`, {
    key: page.body.key,
    headers: { Origin: shop },
  });
  const { request_id, documentation_url, ...error } = body.error;
  expect(status).toBe(422);
  expect(error).toEqual({ code: "undeliverable", message: "The code cannot be sent over this channel." });
  expect(documentation_url).toMatch(/#undeliverable$/);
});
