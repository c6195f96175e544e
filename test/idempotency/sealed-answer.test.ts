import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { Channel, StartVerificationResponseSchema } from "../../gen/byond/v1/verify_pb.ts";
import { createKeyring } from "../../src/crypto/keyring.ts";
import { AppError, type ErrorCode, invalidFields } from "../../src/errors.ts";
import { idempotencySweep } from "../../src/idempotency/answer-store.ts";
import { commitWithAnswer } from "../../src/idempotency/idempotency-claim.ts";
import { sweepAll } from "../support/sweep-all.ts";
import {
  codeOf,
  type Fixture,
  insertEffect,
  liveCaller,
  openFixture,
  sessionCaller,
  startMs,
  startServer,
  startTogether,
  withKey,
} from "./idempotency-fixture.ts";

let fixture: Fixture;
let name = "";
let tests = 0;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());
beforeEach(async () => {
  tests += 1;
  name = `effect-${tests}`;
  await fixture.setNowMs(startMs);
});

const request = { channel: Channel.EMAIL, recipient: "a@example.com" };

describe("errors", () => {
  test.each<[ErrorCode, "kept" | "tried again"]>([
    ["not_found", "kept"],
    ["validation_error", "kept"],
    ["rate_limited", "tried again"],
    ["invalid_api_key", "tried again"],
    ["insufficient_scope", "tried again"],
    ["already_exists", "tried again"],
    ["unavailable", "tried again"],
    ["internal", "tried again"],
  ])("%s is %s", async (code, fate) => {
    let calls = 0;
    const server = startServer(fixture, {
      startVerification() {
        calls += 1;
        throw new AppError(code, `try ${calls}`, { fields: { recipient: "must be another" } });
      },
    });
    const messages: string[] = [];
    for (const client of [server.connect, server.grpc]) {
      const { options, seen } = withKey(name);
      const error = await client.startVerification(request, options).then(
        () => undefined,
        (thrown: unknown) => ConnectError.from(thrown),
      );
      const info = error?.findDetails(ErrorInfoSchema)[0];
      expect(info).toMatchObject({ code, fields: { recipient: "must be another" } });
      const isReplay = (error?.metadata.get("idempotent-replayed") ?? seen.get("idempotent-replayed")) === "true";
      expect(isReplay).toBe(fate === "kept" && messages.length > 0);
      messages.push(error?.rawMessage ?? "");
    }
    expect(messages).toEqual(["try 1", fate === "kept" ? "try 1" : "try 2"]);
  });

  test("an unexpected error is tried again", async () => {
    let calls = 0;
    const server = startServer(fixture, {
      startVerification() {
        calls += 1;
        if (calls === 1) {
          throw new Error("bug");
        }
        return { verificationId: "second" };
      },
    });
    expect(await codeOf(server.connect.startVerification(request, withKey(name).options))).toBe("internal");
    const answer = await server.connect.startVerification(request, withKey(name).options);
    expect(answer.verificationId).toBe("second");
  });

  test("a refusal inside of the transaction leaves neither effect nor answer behind", async () => {
    let isFull = true;
    const server = startServer(fixture, {
      startVerification: (_request, context) =>
        commitWithAnswer(context, fixture.database, StartVerificationResponseSchema, async (queryable) => {
          await queryable.run(insertEffect, { name });
          if (isFull) {
            throw new AppError("rate_limited", "Too many.", { retryAfterSeconds: 1 });
          }
          return { verificationId: "now" };
        }),
    });
    expect(await codeOf(server.connect.startVerification(request, withKey(name).options))).toBe("rate_limited");
    isFull = false;
    await server.connect.startVerification(request, withKey(name).options);
    expect(await fixture.effects(name)).toBe(1);
  });

  test("a key that is malformed is refused before anything is done", async () => {
    const server = startTogether(fixture, name);
    const key = { headers: { "Idempotency-Key": '"open' } };
    expect(await codeOf(server.connect.startVerification(request, key))).toBe("invalid_request");
    expect(await fixture.effects(name)).toBe(0);
  });
});

describe("who gets the answer", () => {
  test.each([
    ["another workspace", { ...liveCaller, workspaceId: "ws_2" }],
    ["the sandbox", { ...liveCaller, mode: "test" as const }],
    ["a session", sessionCaller],
  ])("%s has keys of its own", async (_name, caller) => {
    const implementation = {
      async startVerification() {
        await fixture.database.run(insertEffect, { name });
        return {};
      },
    };
    await startServer(fixture, implementation).connect.startVerification(request, withKey(name).options);
    const other = startServer(fixture, implementation, { caller }).connect;
    await other.startVerification({ recipient: "b@example.com" }, withKey(name).options);
    expect(await fixture.effects(name)).toBe(2);
  });

  test("another session of the same user gets the answer, and another user of the workspace does not", async () => {
    let calls = 0;
    const implementation = { startVerification: () => ({ verificationId: `call ${++calls}` }) };
    const startAs = async (changes: Partial<typeof sessionCaller>) => {
      const { connect } = startServer(fixture, implementation, { caller: { ...sessionCaller, ...changes } });
      return (await connect.startVerification(request, withKey(name).options)).verificationId;
    };
    expect(await startAs({})).toBe("call 1");
    expect(await startAs({ sessionId: "session_2" })).toBe("call 1");
    expect(await startAs({ userId: "usr_2" })).toBe("call 2");
  });

  test("another key of the same workspace and mode gets the answer", async () => {
    const answer = await startTogether(fixture, name).connect.startVerification(request, withKey(name).options);
    const other = startServer(
      fixture,
      { startVerification: () => ({ verificationId: "carried out again" }) },
      { caller: { ...liveCaller, keyId: "key_2", keyPrefix: "pk_live_2" } },
    );
    expect(await other.connect.startVerification(request, withKey(name).options)).toEqual(answer);
  });

  test("another RPC with the same key is refused as another request", async () => {
    const server = startServer(fixture, { startVerification: () => ({}), checkVerification: () => ({}) });
    await server.connect.startVerification({}, withKey(name).options);
    expect(await codeOf(server.connect.checkVerification({}, withKey(name).options))).toBe("idempotency_key_reused");
  });
});

describe("what is stored", () => {
  test("is unreadable: neither the answer nor the request is in the table", async () => {
    const server = startTogether(fixture, name, () => "vrf_ofTheAnswer");
    await server.connect.startVerification({ recipient: "secret@example.com" }, withKey(name).options);
    const stored = await fixture.stored(name);
    expect(stored).toContain(name);
    expect(stored).not.toMatch(/vrf_ofTheAnswer|secret@example/);
  });

  test("can be read with an older secret, and by a server whose current secret is newer", async () => {
    const [older, newer] = ["an older secret that is long enough", "a newer secret that is long enough!"];
    const start = (...secrets: string[]) =>
      startServer(
        fixture,
        { startVerification: () => ({ verificationId: `${secrets}` }) },
        { keyring: createKeyring(secrets) },
      );
    const answer = await start(older).connect.startVerification(request, withKey(name).options);
    for (const server of [start(older, newer), start(newer, older)]) {
      expect(await server.connect.startVerification(request, withKey(name).options)).toEqual(answer);
    }
    const forgetful = start(newer).connect.startVerification(request, withKey(name).options);
    expect(await codeOf(forgetful)).toBe("idempotency_key_reused");
  });

  test("is swept after 24 hours, in batches", async () => {
    const server = startTogether(fixture, name);
    for (let index = 0; index < 7; index += 1) {
      await server.connect.startVerification(request, withKey(`${name}-${index}`).options);
    }
    await fixture.setNowMs(startMs + 3_600_000);
    await server.connect.startVerification(request, withKey(`${name}-later`).options);
    await fixture.setNowMs(startMs + 86_400_000);
    await sweepAll(idempotencySweep(fixture, 3));
    for (let index = 0; index < 7; index += 1) {
      expect(await fixture.stored(`${name}-${index}`)).toBeUndefined();
    }
    expect(await fixture.stored(`${name}-later`)).toBeDefined();
  });
});

test("fields of a validation error come back as they were, over REST too", async () => {
  const server = startServer(fixture, {
    startVerification() {
      throw invalidFields({ recipient: "must be a mail address" });
    },
  });
  for (const client of [server.connect, server.grpcWeb]) {
    const error = await client.startVerification(request, withKey(name).options).catch(ConnectError.from);
    expect(error instanceof ConnectError && error.findDetails(ErrorInfoSchema)[0]?.fields).toEqual({
      recipient: "must be a mail address",
    });
  }
  const overRest = await server.restStart("a@example.com", name);
  expect(overRest.status).toBe(422);
  expect(JSON.parse(overRest.body)).toMatchObject({ error: { fields: { recipient: "must be a mail address" } } });
  expect(overRest.headers.get("idempotent-replayed")).toBe("true");
});
