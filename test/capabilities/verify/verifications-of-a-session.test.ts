/** Whoever is signed in reads the verifications of the workspace, cancels them and has their codes sent again, in each mode. */
import { beforeAll, describe, expect, test } from "vitest";
import { type SignedUp, useTestApp } from "../../support/app.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { inbox } from "./verify-calls.ts";

const server = useTestApp();
const inTest = { "Byond-Mode": "test" };

let owner: SignedUp;
let key: string;
let sandboxKey: string;
let recipients = 0;
beforeAll(async () => {
  owner = await server.signUp();
  [key = "", sandboxKey = ""] = await Promise.all(["live", "test"].map((mode) => mint(owner, mode)));
});

async function mint({ session }: SignedUp, mode: string): Promise<string> {
  return (await server.rest("POST", "/api-keys", { session, body: { name: mode, mode } })).body.key;
}

async function startWith(usedKey: string): Promise<{ readonly id: string; readonly recipient: string }> {
  recipients += 1;
  const recipient = `of-a-session-${recipients}@example.com`;
  const body = { channel: "email", recipient };
  const { body: started } = await server.rest("POST", "/verify/start", { key: usedKey, body });
  return { id: started.verification_id, recipient };
}

describe.each(protocols)("over $name", (protocol: Protocol) => {
  const bySession = (headers: Readonly<Record<string, string>> = {}) => ({ session: owner.session, headers });

  test("a session reads and lists the verifications of the mode that it names, live by default", async () => {
    const live = await startWith(key);
    const sandbox = await startWith(sandboxKey);
    for (const [own, other, headers] of [
      [live, sandbox, {}],
      [live, sandbox, { "Byond-Mode": "live" }],
      [sandbox, live, inTest],
    ] as const) {
      const read = await protocol.call(server, "GetVerification", { verification_id: own.id }, bySession(headers));
      expect(read.body.verification_id).toBe(own.id);
      const missed = await protocol.call(server, "GetVerification", { verification_id: other.id }, bySession(headers));
      expect(missed.code).toBe("not_found");
      const { body } = await protocol.call(server, "ListVerifications", { page_size: 1 }, bySession(headers));
      expect(body.verifications[0].verification_id).toBe(own.id);
    }
  });

  test("a session of another workspace finds none of them", async () => {
    const { id } = await startWith(key);
    const { session } = await server.signUp();
    for (const rpc of ["GetVerification", "CancelVerification", "ResendCode"] as const) {
      expect((await protocol.call(server, rpc, { verification_id: id }, { session })).code).toBe("not_found");
    }
    expect((await protocol.call(server, "ListVerifications", {}, { session })).body.verifications).toEqual([]);
  });

  test("a session has a code sent again, within the recipient's limits, and cancels the verification", async () => {
    const { id, recipient } = await startWith(sandboxKey);
    const resend = () => protocol.call(server, "ResendCode", { verification_id: id }, bySession(inTest));
    expect((await resend()).body.deliveries).toHaveLength(2);
    expect((await resend()).body.deliveries).toHaveLength(3);
    expect((await resend()).code).toBe("rate_limited");
    const canceled = await protocol.call(server, "CancelVerification", { verification_id: id }, bySession(inTest));
    expect(canceled.body.status).toBe("canceled");
    expect((await inbox(server)).filter((message) => message.recipient === recipient).length).toBeLessThanOrEqual(3);
  });

  test("starting, checking and erasing take keys alone", async () => {
    const { id, recipient } = await startWith(key);
    for (const [rpc, input] of [
      ["StartVerification", { channel: "email", recipient }],
      ["CheckVerification", { verification_id: id, code: "1" }],
      ["EraseRecipient", { recipient }],
    ] as const) {
      const { code, body } = await protocol.call(server, rpc, input, bySession());
      expect([code, body.message]).toEqual(["invalid_api_key", "This endpoint takes an API key, not an access token."]);
    }
  });

  test("a key that names the other mode is refused, as on every call that is about one mode", async () => {
    const { id } = await startWith(key);
    const call = (mode: string) =>
      protocol.call(server, "GetVerification", { verification_id: id }, { key, headers: { "Byond-Mode": mode } });
    expect((await call("live")).code).toBe("ok");
    expect((await call("test")).code).toBe("invalid_request");
  });
});

test("with its Idempotency-Key, a session has a code sent once, in each mode", async () => {
  const [live, sandbox] = [await startWith(key), await startWith(sandboxKey)];
  const resend = ({ id }: { readonly id: string }, mode: string) =>
    server.rest("POST", `/verify/${id}/resend`, {
      session: owner.session,
      headers: { "Byond-Mode": mode, "Idempotency-Key": "resend-1" },
      body: {},
    });
  for (const [verification, mode] of [
    [live, "live"],
    [sandbox, "test"],
  ] as const) {
    const first = await resend(verification, mode);
    expect([first.status, first.headers.get("idempotent-replayed")]).toEqual([200, null]);
    const second = await resend(verification, mode);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect(second.body).toEqual(first.body);
    const read = await server.rest("GET", `/verify/${verification.id}`, {
      session: owner.session,
      headers: { "Byond-Mode": mode },
    });
    expect(read.body.deliveries).toHaveLength(2);
  }
});

test("a session's calls count against the quota of its workspace", async () => {
  await using limited = await server.startAnother({ defaultTier: "starter" });
  const { session } = await limited.signUp();
  const { headers } = await limited.rest("GET", "/verifications", { session });
  expect(headers.get("x-ratelimit-limit")).toBe("1000");
  expect(Number(headers.get("x-ratelimit-remaining"))).toBeLessThan(1_000);
});
