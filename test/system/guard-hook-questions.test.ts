/** What the hook of a workspace is asked: once about each code that no limit holds back, with the verification that it belongs to, and never about what is refused anyway. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  blockRange,
  type GuardedWorkspace,
  guardCalls,
  guardedDelivery,
  newNumber,
  signUpGuarded,
} from "../capabilities/guard/guard-calls.ts";
import { rowsOf } from "../capabilities/verify/verify-calls.ts";
import { useTestApp } from "../support/app.ts";
import { protocols } from "../support/protocols.ts";

const app = useTestApp({
  delivery: guardedDelivery,
  webhookDestinations: { allowedNetworks: [], allowsLoopback: true },
});
let workspace: GuardedWorkspace;
let server: Server;
let url: string;
// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
let asked: any[];
/** The channels that the endpoint allows. */
let allowed: string[];
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) {
      text += chunk;
    }
    const question = JSON.parse(text);
    asked.push(question);
    response.end(JSON.stringify({ allow: allowed.includes(question.channel) }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
beforeEach(async () => {
  workspace = await signUpGuarded(app);
  asked = [];
  allowed = ["sms", "voice"];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const end_user_ip = "203.0.113.7";

describe.each(protocols)("over $name", (protocol) => {
  const update = (changes: object) => guardCalls(protocol, app, workspace).update({ hook: { url }, ...changes });
  /** Starts over text messages, with an Idempotency-Key if one is given. */
  const start = (recipient: string, input: object, idempotencyKey?: string) =>
    protocol.call(
      app,
      "StartVerification",
      { channel: "sms", recipient, ...input },
      {
        key: workspace.live,
        ...(idempotencyKey === undefined ? {} : { headers: { "Idempotency-Key": idempotencyKey } }),
      },
    );

  test("a step of a fallback that a limit holds back is asked about again when it is tried again", async () => {
    await update({});
    const recipient = newNumber();
    // With the start, these are all codes of the recipient for a minute.
    await start(recipient, {});
    await start(recipient, {});
    const fallback = [{ channel: "voice", after_seconds: 5 }];
    const { body } = await start(recipient, { fallback, ttl_seconds: 600 });
    asked = [];
    const untilAsked = (times: number) =>
      vi.waitFor(
        () =>
          expect(asked).toEqual(
            Array.from({ length: times }, () =>
              expect.objectContaining({ channel: "voice", verification_id: body.verification_id }),
            ),
          ),
        15_000,
      );
    await app.time.advance({ seconds: 6 });
    await untilAsked(1);
    // The step is due again by the clock of when it is put back.
    const step = "SELECT claimed_by FROM outbox WHERE subject_id = $1 AND lane = 'fallback' AND attempts > 0";
    await vi.waitFor(async () =>
      expect(await rowsOf(app, step, [body.verification_id])).toEqual([{ claimed_by: null }]),
    );
    await app.time.advance({ seconds: 60 });
    await untilAsked(2);
  });

  describe.each([undefined, "the key of a call"])("with the Idempotency-Key %s", (idempotencyKey) => {
    test("each way of a fallback is asked about once, with the id that the call answers", async () => {
      await update({});
      allowed = ["voice"];
      const recipient = newNumber();
      const input = { fallback: [{ channel: "voice" }], end_user_ip, device_id: "phone 1" };
      const { code, body } = await start(recipient, input, idempotencyKey);
      expect([code, body.status]).toEqual(["ok", "pending"]);
      const question = { verification_id: body.verification_id, recipient, end_user_ip, device_id: "phone 1" };
      expect(asked).toEqual([
        expect.objectContaining({ ...question, channel: "sms" }),
        expect.objectContaining({ ...question, channel: "voice" }),
      ]);
    });

    test("a code of a verification that is used again is asked about once, with its id and whom the call named", async () => {
      const recipient = newNumber();
      const first = await start(recipient, { end_user_ip, device_id: "phone 1" });
      await update({});
      // The first call finds out that there is a hook.
      await start(newNumber(), {});
      asked = [];
      const again = await start(recipient, { reuse: "pending", device_id: "phone 2" }, idempotencyKey);
      expect([again.code, again.body.reused]).toEqual(["ok", true]);
      const question = {
        verification_id: first.body.verification_id,
        mode: "live",
        channel: "sms",
        recipient,
        country: "SG",
        end_user_ip,
        device_id: "phone 2",
      };
      expect(asked).toEqual([question]);
      allowed = [];
      const vetoed = await start(recipient, { reuse: "pending" }, idempotencyKey && `${idempotencyKey} 2`);
      expect([vetoed.code, vetoed.body.reason]).toEqual(["recipient_blocked", "vetoed"]);
      expect(asked.slice(1)).toEqual([{ ...question, device_id: null }]);
    });

    test("where there is none to use again, the start is asked about once", async () => {
      await update({});
      const { code, body } = await start(newNumber(), { reuse: "pending" }, idempotencyKey);
      expect([code, body.reused]).toEqual(["ok", false]);
      expect(asked).toEqual([expect.objectContaining({ verification_id: body.verification_id })]);
    });

    test("a range that is blocked is not asked about, nor in shadow, where its codes are sent", async () => {
      await update({});
      await blockRange(app, workspace.workspaceId, "+65910x");
      const { code, body } = await start(newNumber(), {}, idempotencyKey);
      expect([code, body.reason]).toEqual(["recipient_blocked", "range_blocked"]);
      expect(asked).toEqual([]);
      await update({ guard_mode: "shadow" });
      expect((await start(newNumber(), {}, idempotencyKey && `${idempotencyKey} 2`)).code).toBe("ok");
      expect(asked).toEqual([]);
    });
  });
});
