/** The hook of a workspace: it is asked before a code is sent, may veto it, and holds nothing up when it fails. */

import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HookAsker } from "../../src/capabilities/guard/hook/ask-hook.ts";
import { createHookSecret } from "../../src/capabilities/guard/hook/guard-hook.ts";
import { unknownEndUser } from "../../src/capabilities/verify/end-user.ts";
import { createKeyring } from "../../src/crypto/keyring.ts";
import type { PostToCustomer } from "../../src/outgoing/post-to-customer.ts";
import {
  blockRange,
  type GuardedWorkspace,
  guardCalls,
  guardedDelivery,
  newNumber,
  signUpGuarded,
} from "../capabilities/guard/guard-calls.ts";
import { rowsOf, tally } from "../capabilities/verify/verify-calls.ts";
import { startTestApp, type TestApp, useTestApp } from "../support/app.ts";
import { protocols, restProtocol } from "../support/protocols.ts";
import { runCommand } from "../support/run-command.ts";
import { TraceCollector, traceParentOf } from "../support/trace-collector.ts";

const config = {
  delivery: guardedDelivery,
  webhookDestinations: { allowedNetworks: [], allowsLoopback: true },
};
const app = useTestApp(config);
let other: TestApp;
let workspace: GuardedWorkspace;
let server: Server;
let url: string;
let answer: RequestListener;
/** What the endpoint was asked, in this test. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
let asked: { headers: Record<string, string>; body: any; text: string }[] = [];
beforeAll(async () => {
  other = await app.startAnother(config);
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, `${value}`]));
      asked.push({ headers, body: JSON.parse(text), text });
      answer(request, response);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/judge`;
});
beforeEach(async () => {
  workspace = await signUpGuarded(app);
  asked = [];
  answer = says({ allow: true });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await other[Symbol.asyncDispose]();
});

const says =
  (body: unknown, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));

/** Behaviours of endpoints that are failures. */
const failures: Readonly<Record<string, RequestListener>> = {
  "an error": says({ allow: true }, 500),
  "another status than 200": says({ allow: true }, 202),
  "a redirection": (_, response) => void response.writeHead(307, { Location: url }).end(),
  "no JSON": (_, response) => void response.end("yes"),
  "another JSON": says({ allow: "yes" }),
  "no answer": () => undefined,
  "a body that does not end": (_, response) => void response.writeHead(200).write('{"allow": true'),
  "an answer of ten megabytes": says({ allow: true, more: "x".repeat(10_000_000) }),
  "a closed connection": (request) => void request.socket.destroy(),
};

describe.each(protocols)("over $name", (protocol) => {
  const live = (from = app) => guardCalls(protocol, from, workspace, workspace.live);

  test("a vetoed code is refused, and one that is allowed is sent: starts, resends and both modes", async () => {
    const { update, start, call } = live();
    const { hook } = await update({ hook: { url } });
    expect(hook).toEqual({ url, on_failure: "allow", secret: expect.stringMatching(/^whsec_[\w+/]{43}=$/) });
    const recipient = newNumber();
    const { code, body } = await start(recipient, { end_user_ip: "2001:db8::1", device_id: "phone 1" });
    expect(code).toBe("ok");
    expect(asked.map((one) => one.body)).toEqual([
      {
        verification_id: body.verification_id,
        mode: "live",
        channel: "sms",
        recipient,
        country: "SG",
        end_user_ip: "2001:db8::/64",
        device_id: "phone 1",
      },
    ]);
    const [question] = asked;
    expect(new Webhook(hook.secret).verify(question?.text ?? "", question?.headers ?? {})).toEqual(question?.body);
    expect(() =>
      new Webhook(`whsec_${btoa("x".repeat(32))}`).verify(question?.text ?? "", question?.headers ?? {}),
    ).toThrow();

    answer = says({ allow: false });
    const vetoed = await start(newNumber());
    expect([vetoed.code, vetoed.body.reason]).toEqual(["recipient_blocked", "vetoed"]);
    const resend = await call("ResendCode", { verification_id: body.verification_id, channel: "voice" });
    expect([resend.code, resend.body.reason]).toEqual(["recipient_blocked", "vetoed"]);
    expect(asked.at(-1)?.body).toMatchObject({
      channel: "voice",
      recipient,
      end_user_ip: "2001:db8::/64",
      device_id: null,
    });
    const sandbox = await guardCalls(protocol, app, workspace, workspace.sandbox).start(newNumber());
    expect([sandbox.code, asked.at(-1)?.body.mode]).toEqual(["recipient_blocked", "test"]);
    // Emails are not judged.
    const count = asked.length;
    expect((await start("ada@example.com", { channel: "email" })).code).toBe("ok");
    expect(asked).toHaveLength(count);
    expect(
      await rowsOf(app, "SELECT FROM throttle WHERE key LIKE 'send:%' AND workspace_id = $1", [workspace.workspaceId]),
    ).toHaveLength(2);
  });

  test("a hook holds at once on the other server, keeps its secret as long as its URL, and is removed", async () => {
    const [here, there] = [live(), live(other)];
    expect((await there.start(newNumber())).code).toBe("ok");
    answer = says({ allow: false });
    const { hook } = await here.update({ hook: { url } });
    expect((await there.start(newNumber())).code).toBe("recipient_blocked");
    expect((await here.update({ hook: { url, on_failure: "refuse" } })).hook).toEqual({ url, on_failure: "refuse" });
    const [row] = await rowsOf(app, "SELECT hook_secret_sealed FROM guard_setting WHERE workspace_id = $1", [
      workspace.workspaceId,
    ]);
    expect(String(row?.hook_secret_sealed)).not.toContain(hook.secret.slice(6));
    const moved = (await here.update({ hook: { url: `${url}/2` } })).hook;
    expect([moved.on_failure, moved.secret === hook.secret]).toEqual(["allow", false]);
    expect((await here.call("GetGuard")).code).toBe("insufficient_scope");
    expect((await here.update({ hook: { url: "" } })).hook).toBeNull();
    expect((await there.start(newNumber())).code).toBe("ok");
  });

  test("URLs that are private, or no URLs, are refused", async () => {
    const { session } = workspace;
    for (const [wrong, problem] of [
      ["https://10.0.0.1/", "must have a public address"],
      ["ftp://example.com", "must be a URL that begins with https://, or http:// for this machine"],
    ]) {
      const { code, body } = await protocol.call(app, "UpdateGuard", { hook: { url: wrong } }, { session });
      expect([code, body.fields]).toEqual([
        "validation_error",
        { [protocol.name === "REST" ? "hook.url" : "guard.hook.url"]: problem },
      ]);
    }
  });

  test("what the guard refuses by itself, and what is safe, is not asked about; in shadow a veto is only counted", async () => {
    const { update, start } = live();
    await update({ hook: { url }, blocked_countries: ["DE"] });
    answer = says({ allow: false });
    expect((await start("+4915123456789")).body.reason).toBe("country_not_allowed");
    expect((await start("+19002530000")).body.reason).toBe("premium_rate");
    const safe = newNumber();
    await app.rest("POST", "/guard/safe-list", { session: workspace.session, body: { number: safe } });
    expect((await start(safe)).code).toBe("ok");
    expect(asked).toEqual([]);
    await update({ guard_mode: "shadow" });
    expect((await start(newNumber())).code).toBe("ok");
    expect(asked).toHaveLength(1);
    await vi.waitFor(async () => {
      const { body } = await app.rest("GET", "/guard/report", { session: workspace.session });
      expect(body.reasons).toContainEqual(expect.objectContaining({ reason: "vetoed", refused: 0, would_refuse: 1 }));
    }, 5_000);
    await update({ guard_mode: "off" });
    expect((await start(newNumber())).code).toBe("ok");
    expect(asked).toHaveLength(1);
  });
});

describe.each(protocols)("in shadow, over $name", (protocol) => {
  const reasons = async (count: number) =>
    vi.waitFor(
      async () => {
        const { body } = await guardCalls(protocol, app, workspace).call("GetGuardReport", { period: "24h" });
        expect([body.refused, body.would_refuse]).toEqual([0, count]);
        return body.reasons.map(({ reason }: { reason: string }) => reason).toSorted();
      },
      { timeout: 20_000 },
    );

  test("it is not asked about blocked ranges either, and they are counted as such", async () => {
    const { update, start } = guardCalls(protocol, app, workspace, workspace.live);
    await update({ hook: { url }, guard_mode: "shadow" });
    await blockRange(app, workspace.workspaceId, "+65910x");
    answer = says({ allow: false });
    expect((await start(newNumber("+65910"))).code).toBe("ok");
    expect(await reasons(1)).toEqual(["range_blocked"]);
    expect(asked).toEqual([]);
  });

  test("it is asked about numbers that are not refused, though the plan does not have them", async () => {
    const { update, start } = guardCalls(protocol, app, workspace, workspace.live);
    await update({ hook: { url }, guard_mode: "shadow" });
    answer = says({ allow: false });
    expect((await start("+19995551234")).code).toBe("ok");
    expect(asked.map(({ body }) => body.recipient)).toEqual(["+19995551234"]);
    expect(await reasons(1)).toEqual(["vetoed"]);
    await update({ refuse_invalid_numbers: true });
    expect((await start("+19995551235")).code).toBe("ok");
    expect(asked).toHaveLength(1);
    expect(await reasons(2)).toEqual(["invalid_number", "vetoed"]);
  });
});

const [rest] = protocols as [(typeof protocols)[0]];
const overRest = () => guardCalls(rest, app, workspace, workspace.live);

test.each(Object.keys(failures))(
  "%s is a failure: the code is sent or refused, as the hook was set, within a second",
  async (name) => {
    const { update, start } = overRest();
    answer = failures[name] ?? answer;
    for (const [on_failure, expected] of [
      ["allow", "ok"],
      ["refuse", "recipient_blocked"],
    ]) {
      await update({ hook: { url, on_failure } });
      const startedAt = performance.now();
      expect((await start(newNumber())).code).toBe(expected);
      expect(performance.now() - startedAt).toBeLessThan(1_500);
    }
    expect(asked).toHaveLength(2);
  },
);

test("status 204 allows a code", async () => {
  const { update, start } = overRest();
  await update({ hook: { url, on_failure: "refuse" } });
  answer = (_, response) => void response.writeHead(204).end();
  expect((await start(newNumber())).code).toBe("ok");
  expect(asked).toHaveLength(1);
});

test("failures of a hook are logged once a minute, with their number and the last reason", async () => {
  const { update, start } = overRest();
  await update({ hook: { url } });
  answer = says({ allow: true }, 500);
  await start(newNumber());
  await start(newNumber());
  await start(newNumber());
  await app.time.advance({ seconds: 61 });
  answer = says({ allow: "no" });
  await start(newNumber());
  const lines = app.logLines.map((line) => JSON.parse(line)).filter(({ event }) => event === "guard_hook_failed");
  expect(lines.filter(({ workspace_id: id }) => id === workspace.workspaceId)).toMatchObject([
    { failures: 1, reason: "status 500" },
    { failures: 3, reason: 'an answer without {"allow": true} or {"allow": false}' },
  ]);
});

/** Asks hooks that answer when the test says so. */
function askByHand({ timeoutMs = 600_000 } = {}) {
  const keyring = createKeyring(["a secret of the test, long enough"]);
  const waiting: { readonly workspaceId: string; readonly veto: () => void }[] = [];
  const post: PostToCustomer = ({ url: workspaceId }) =>
    new Promise((resolve) => {
      const veto = () => resolve({ kind: "answered", status: 200, body: '{"allow": false}' });
      waiting.push({ workspaceId, veto });
    });
  const asker = new HookAsker({ keyring, clock: app.time, post, timeoutMs, onFailure: () => undefined });
  const ask = (workspaceId: string, onFailure: "allow" | "refuse" = "allow") =>
    asker.isVetoed(
      { url: workspaceId, onFailure, secretSealed: createHookSecret(keyring, workspaceId).sealed },
      {
        workspaceId,
        verificationId: "vrf_1",
        mode: "live",
        channel: "sms",
        recipient: { address: "+6591000000", exact: "", folded: "" },
        endUser: unknownEndUser,
      },
    );
  const askTimes = (times: number, workspaceId: string) => Array.from({ length: times }, () => ask(workspaceId));
  return { waiting, ask, askTimes };
}

test("none of sixty sends at once escapes the veto of its workspace: twenty-five are asked about at the same time, and the others wait", async () => {
  const { waiting, askTimes } = askByHand();
  const answers = Promise.all(askTimes(60, "ws_1"));
  for (const expected of [25, 25, 10]) {
    await vi.waitFor(() => expect(waiting).toHaveLength(expected));
    for (const { veto } of waiting.splice(0)) {
      veto();
    }
  }
  expect(await answers).toEqual(Array(60).fill(true));
});

test("however many hooks are silent, each workspace has five places of its own, and those that are free are shared", async () => {
  const { waiting, askTimes } = askByHand();
  for (let slow = 1; slow <= 20; slow += 1) {
    void askTimes(30, `ws_${slow}`);
  }
  await vi.waitFor(() => expect(waiting).toHaveLength(20 * 5 + 250));
  const answers = askTimes(6, "ws_other");
  await vi.waitFor(() => expect(waiting.filter(({ workspaceId }) => workspaceId === "ws_other")).toHaveLength(5));
  // A place that becomes free goes to each workspace that waits in turn, not to the one that had it.
  for (const { veto } of waiting.filter(({ workspaceId }) => workspaceId === "ws_1").splice(0, 20)) {
    veto();
  }
  await vi.waitFor(() => expect(waiting.filter(({ workspaceId }) => workspaceId === "ws_other")).toHaveLength(6));
  for (const { veto } of waiting.filter(({ workspaceId }) => workspaceId === "ws_other")) {
    veto();
  }
  expect(await Promise.all(answers)).toEqual(Array(6).fill(true));
});

test("a send that gets no place in time has failed", async () => {
  const { waiting, ask, askTimes } = askByHand({ timeoutMs: 50 });
  void askTimes(25, "ws_1");
  expect(await Promise.all([ask("ws_1", "allow"), ask("ws_1", "refuse")])).toEqual([false, true]);
  expect(waiting).toHaveLength(25);
});

test("with an Idempotency-Key, no transaction waits for the hook, and each answer holds for the repetition", async () => {
  const { update } = overRest();
  await update({ hook: { url } });
  const key = workspace.live;
  let waiting = 0;
  answer = async (_, response) => {
    const [row] = await rowsOf(
      app,
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()`,
    );
    waiting = Math.max(waiting, Number(row?.count));
    says({ allow: asked.length === 1 })(_, response);
  };
  const send = (name: string, recipient: string) =>
    app.rest("POST", "/verify/start", {
      key,
      body: { channel: "sms", recipient },
      headers: { "Idempotency-Key": name },
    });
  const allowed = newNumber();
  const first = await send("first", allowed);
  expect(first.status).toBe(201);
  expect((await send("first", allowed)).body).toEqual(first.body);
  expect(asked).toHaveLength(1);
  const refused = newNumber();
  expect((await send("second", refused)).body.error).toMatchObject({ code: "recipient_blocked", reason: "vetoed" });
  expect(waiting).toBe(0);
});

test("a step of a fallback is asked about when its turn comes", async () => {
  const { update } = overRest();
  await update({ hook: { url } });
  answer = says({ allow: false });
  const recipient = newNumber();
  const { body } = await guardCalls(rest, app, workspace, workspace.sandbox).start("undeliverable@example.com", {
    channel: "email",
    fallback: [{ channel: "sms", recipient }],
    end_user_ip: "192.0.2.7",
  });
  await vi.waitFor(() => expect(asked).toHaveLength(1), 10_000);
  expect(asked[0]?.body).toMatchObject({
    verification_id: body.verification_id,
    channel: "sms",
    recipient,
    end_user_ip: "192.0.2.7",
  });
  await vi.waitFor(async () => {
    const { body: seen } = await app.rest("GET", `/verify/${body.verification_id}`, { key: workspace.sandbox });
    expect(seen.fallback).toEqual([expect.objectContaining({ status: "refused" })]);
  }, 10_000);
});

test("a source that guesses is slowed only where the guard refuses: in shadow there is an event, and with off there is none", async () => {
  const { update, start, call } = overRest();
  const guess = async (device_id: string, times: number) => {
    const codes = [];
    for (let count = 0; count < times; count += 1) {
      const { body } = await start(`${crypto.randomUUID()}@example.com`, { channel: "email" });
      codes.push(
        (await call("CheckVerification", { verification_id: body.verification_id, code: "1", device_id })).code,
      );
    }
    return tally(codes);
  };
  const guessings = async () => {
    const { body } = await app.rest("GET", "/events?type=guessing.detected", { session: workspace.session });
    return body.events.map((event: { data: unknown }) => event.data);
  };
  await update({ guard_mode: "off" });
  await guess("a", 10);
  await update({ guard_mode: "shadow" });
  await guess("b", 10);
  const watched = expect.objectContaining({ source: "device", value: "b", verifications: 10, slowed_until: null });
  await vi.waitFor(async () => expect(await guessings()).toEqual([watched]), 5_000);
  const untilCounted = (guessed: number) =>
    vi.waitFor(async () => {
      const sql = "SELECT guessed FROM guess_source WHERE workspace_id = $1 AND detected_until IS NOT NULL";
      expect(await rowsOf(app, sql, [workspace.workspaceId])).toEqual([{ guessed }]);
    }, 5_000);
  // One event an hour, and not one for each ten verifications.
  await guess("b", 9);
  await untilCounted(9);
  await guess("b", 1);
  await untilCounted(0);
  await guess("b", 5);
  await untilCounted(5);
  await update({ guard_mode: "enforce" });
  // What was watched slows nobody.
  expect(await guess("b", 4)).toEqual({ ok: 4 });
  await untilCounted(9);
  expect(await guess("b", 1)).toEqual({ ok: 1 });
  const slowed = expect.objectContaining({ value: "b", slowed_until: expect.any(String) });
  await vi.waitFor(async () => expect(await guessings()).toEqual([slowed, watched]), 5_000);
  expect(await guess("b", 5)).toEqual({ ok: 3, rate_limited: 2 });
});

test("after a reseal, the hook is asked with the same secret by a server that knows the new master secret alone", async () => {
  const [old, fresh] = ["the old secret which has thirty-two bytes", "the new secret which has thirty-two bytes"];
  const before = await startTestApp({ ...config, secrets: [old, fresh] });
  await using _ = before;
  workspace = await signUpGuarded(before);
  const { hook } = await guardCalls(rest, before, workspace).update({ hook: { url, on_failure: "refuse" } });
  await before.app.close();
  const between = await before.startAnother({ ...config, secrets: [fresh, old] });
  await runCommand("reseal", before.databaseUrl, { options: {}, input: "", secrets: [fresh, old] });
  await between.app.close();
  await using after = await before.startAnother({ ...config, secrets: [fresh] });
  expect((await guardCalls(rest, after, workspace, workspace.live).start(newNumber())).code).toBe("ok");
  const [question] = asked;
  expect(new Webhook(hook.secret).verify(question?.text ?? "", question?.headers ?? {})).toEqual(question?.body);
});

test("a hook is told the span that waits for its answer, if the server sends traces, and only then", async () => {
  await using collector = await TraceCollector.open();
  await using traced = await app.startAnother({ ...config, ...collector.settings() });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const start = (from: TestApp) =>
    from.rest("POST", "/verify/start", {
      key: workspace.live,
      body: { channel: "sms", recipient: newNumber() },
      headers: { traceparent: traceParentOf(traceId), tracestate: "vendor=secret" },
    });
  await guardCalls(restProtocol, app, workspace, workspace.live).update({ hook: { url } });
  expect((await start(app)).status).toBe(201);
  expect((await start(traced)).status).toBe(201);
  const [untracedQuestion, question] = asked;
  expect(untracedQuestion?.headers).not.toHaveProperty("traceparent");
  const span = await collector.span(traceId, "POST");
  expect(span.attributes).toEqual({ "http.request.method": "POST", "http.response.status_code": 200 });
  expect(question?.headers.traceparent).toBe(`00-${traceId}-${span.spanId}-01`);
  expect(question?.headers).not.toHaveProperty("tracestate");
});
