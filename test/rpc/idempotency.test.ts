import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { StartVerificationResponseSchema } from "../../gen/byond/v1/verify_pb.ts";
import { AppError, type ErrorCode, invalidFields } from "../../src/errors.ts";
import { commitWithAnswer } from "../../src/rpc/idempotency-claim.ts";
import { sweepIdempotency } from "../../src/rpc/idempotency-store.ts";
import { createKeyring } from "../../src/secrets.ts";
import {
  claimSeconds,
  type Fixture,
  insertEffect,
  liveCaller,
  openFixture,
  startMs,
  startServer,
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

/** Stores the answer with the effect, in one transaction. */
function startTogether(id = () => `vrf_${Math.random()}`) {
  return startServer(fixture, {
    startVerification: (_request, context) =>
      commitWithAnswer(context, fixture.database, StartVerificationResponseSchema, async (queryable) => {
        await queryable.query(insertEffect, [name]);
        return { verificationId: id() };
      }),
  });
}

/** Leaves the answer to the interceptor. */
function startPlainly() {
  return startServer(fixture, {
    async startVerification() {
      await fixture.database.query(insertEffect, [name]);
      return { verificationId: `vrf_${Math.random()}` };
    },
  });
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.code;
  }
}

const request = { recipient: "a@example.com" };

describe.each([
  ["together with the effect", startTogether],
  ["after the call", startPlainly],
])("an answer that is stored %s", (_name, start) => {
  test("is replayed, says so, and the effect happens once", async () => {
    const server = start();
    const first = withKey(name);
    const answer = await server.connect.startVerification(request, first.options);
    expect(first.seen.get("idempotent-replayed")).toBeNull();

    const second = withKey(`"${name}"`);
    expect(await server.connect.startVerification(request, second.options)).toEqual(answer);
    expect(second.seen.get("idempotent-replayed")).toBe("true");
    expect(await fixture.effects(name)).toBe(1);
  });

  test("is replayed by another server, over every protocol, beside the headers of the gate", async () => {
    const answer = await start().connect.startVerification(request, withKey(name).options);
    const other = start();
    for (const client of [other.connect, other.grpc, other.grpcWeb]) {
      const { options, seen } = withKey(name);
      expect(await client.startVerification(request, options)).toEqual(answer);
      expect(seen.get("idempotent-replayed")).toBe("true");
      expect(seen.get("x-of-the-gate")).toBe("kept");
    }
    expect(await fixture.effects(name)).toBe(1);
  });

  test("a hundred at once: one effect, one answer, the others replays or 409", async () => {
    const servers = [start(), start()];
    const calls = Array.from({ length: 100 }, async (_, index) => {
      const client = index % 2 === 0 ? servers[0]?.connect : servers[1]?.grpc;
      const { options, seen } = withKey(name);
      try {
        const answer = await client?.startVerification(request, options);
        return { id: answer?.verificationId, isReplay: seen.get("idempotent-replayed") === "true" };
      } catch (error) {
        return { code: ConnectError.from(error).code };
      }
    });
    const outcomes = await Promise.all(calls);
    expect(await fixture.effects(name)).toBe(1);
    expect(outcomes.filter((outcome) => outcome.isReplay === false)).toHaveLength(1);
    expect(new Set(outcomes.flatMap((outcome) => outcome.id ?? [])).size).toBe(1);
    const refused = outcomes.filter((outcome) => outcome.isReplay === undefined);
    expect(refused.every((outcome) => outcome.code === Code.Aborted)).toBe(true);
  });

  test("another message with the key is refused, and has no effect", async () => {
    const server = start();
    await server.connect.startVerification(request, withKey(name).options);
    const other = { recipient: "b@example.com" };
    expect(await codeOf(server.connect.startVerification(other, withKey(name).options))).toBe("idempotency_key_reused");
    expect(await fixture.effects(name)).toBe(1);
  });

  test("is forgotten after 24 hours, and not a second earlier", async () => {
    const server = start();
    await server.connect.startVerification(request, withKey(name).options);
    await fixture.setNowMs(startMs + 86_399_000);
    await server.connect.startVerification(request, withKey(name).options);
    expect(await fixture.effects(name)).toBe(1);
    await fixture.setNowMs(startMs + 86_400_000);
    await server.connect.startVerification({ recipient: "b@example.com" }, withKey(name).options);
    expect(await fixture.effects(name)).toBe(2);
  });
});

test("without the header every call is one of its own, and nothing is kept", async () => {
  const server = startTogether();
  await server.connect.startVerification(request);
  await server.connect.startVerification(request);
  expect(await fixture.effects(name)).toBe(2);
});

describe("crashes", () => {
  /** A server that stops existing between the claim and the effect: it neither answers nor gives the claim up. */
  async function crash() {
    const server = startServer(fixture, { startVerification: () => new Promise(() => {}) });
    server.connect.startVerification(request, withKey(name).options).catch(() => {});
    for (let attempt = 0; attempt < 1_000 && (await fixture.stored(name)) === undefined; attempt += 1);
    expect(await fixture.stored(name)).toBeDefined();
  }

  test("a claim that nobody answers for runs out; then the retry is carried out", async () => {
    await crash();
    const server = startTogether();
    expect(await codeOf(server.grpc.startVerification(request, withKey(name).options))).toBe("idempotency_in_progress");
    await fixture.setNowMs(startMs + (claimSeconds - 1) * 1_000);
    expect(await codeOf(server.grpc.startVerification(request, withKey(name).options))).toBe("idempotency_in_progress");
    await fixture.setNowMs(startMs + claimSeconds * 1_000);
    await server.grpc.startVerification(request, withKey(name).options);
    expect(await fixture.effects(name)).toBe(1);
  });

  test("a claim that ran out is not open to another message", async () => {
    await crash();
    await fixture.setNowMs(startMs + claimSeconds * 1_000);
    const other = startTogether().connect.startVerification({ recipient: "b@example.com" }, withKey(name).options);
    expect(await codeOf(other)).toBe("idempotency_key_reused");
  });

  test("twenty retries at once, when the claim ran out: one effect", async () => {
    await crash();
    await fixture.setNowMs(startMs + claimSeconds * 1_000);
    const server = startTogether();
    const calls = Array.from({ length: 20 }, () =>
      codeOf(server.connect.startVerification(request, withKey(name).options)),
    );
    const codes = new Set(await Promise.all(calls));
    expect(codes.has(undefined)).toBe(true);
    codes.delete(undefined);
    expect([...codes].every((code) => code === "idempotency_in_progress")).toBe(true);
    expect(await fixture.effects(name)).toBe(1);
  });

  test("a call that outlives its claim is rolled back if a retry took over", async () => {
    const insideSlow = Promise.withResolvers<void>();
    const resume = Promise.withResolvers<void>();
    const slow = startServer(fixture, {
      startVerification: (_request, context) =>
        commitWithAnswer(context, fixture.database, StartVerificationResponseSchema, async (queryable) => {
          await queryable.query(insertEffect, [name]);
          insideSlow.resolve();
          await resume.promise;
          return { verificationId: "slow" };
        }),
    });
    const slowCall = codeOf(slow.connect.startVerification(request, withKey(name).options));
    await insideSlow.promise;
    await fixture.setNowMs(startMs + claimSeconds * 1_000);
    const retried = await startTogether(() => "retried").connect.startVerification(request, withKey(name).options);
    expect(retried.verificationId).toBe("retried");
    resume.resolve();
    expect(await slowCall).toBe("idempotency_in_progress");
    expect(await fixture.effects(name)).toBe(1);
    const replayed = await startTogether().connect.startVerification(request, withKey(name).options);
    expect(replayed.verificationId).toBe("retried");
  });

  test("a call that outlives its claim answers for it if nobody took over", async () => {
    const server = startServer(fixture, {
      startVerification: (_request, context) =>
        commitWithAnswer(context, fixture.database, StartVerificationResponseSchema, async (queryable) => {
          await queryable.query(insertEffect, [name]);
          await fixture.setNowMs(startMs + claimSeconds * 2_000);
          return { verificationId: "late" };
        }),
    });
    await server.connect.startVerification(request, withKey(name).options);
    const replayed = await server.connect.startVerification(request, withKey(name).options);
    expect(replayed.verificationId).toBe("late");
    expect(await fixture.effects(name)).toBe(1);
  });

  test("an answer that cannot be kept is given nevertheless, and the log says so", async () => {
    const server = startServer(fixture, {
      async startVerification() {
        await fixture.database.query({ name: "hide", text: "ALTER TABLE idempotency RENAME TO hidden" }, []);
        return { verificationId: "done" };
      },
    });
    try {
      const answer = await server.connect.startVerification(request, withKey(name).options);
      expect(answer.verificationId).toBe("done");
      expect(server.logLines.join()).toContain("idempotent answer not kept");
    } finally {
      await fixture.database.query({ name: "show", text: "ALTER TABLE hidden RENAME TO idempotency" }, []);
    }
  });
});

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
          await queryable.query(insertEffect, [name]);
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
    const server = startTogether();
    const key = { headers: { "Idempotency-Key": '"open' } };
    expect(await codeOf(server.connect.startVerification(request, key))).toBe("invalid_request");
    expect(await fixture.effects(name)).toBe(0);
  });
});

describe("whose key it is", () => {
  test.each([
    ["another workspace", { ...liveCaller, workspaceId: "ws_2" }],
    ["the sandbox", { ...liveCaller, mode: "test" as const }],
    ["a session", { kind: "session" as const, workspaceId: "ws_1", userId: "usr_1" }],
  ])("%s has keys of its own", async (_name, caller) => {
    const implementation = {
      async startVerification() {
        await fixture.database.query(insertEffect, [name]);
        return {};
      },
    };
    await startServer(fixture, implementation).connect.startVerification(request, withKey(name).options);
    const other = startServer(fixture, implementation, { caller }).connect;
    await other.startVerification({ recipient: "b@example.com" }, withKey(name).options);
    expect(await fixture.effects(name)).toBe(2);
  });

  test("another key of the same workspace and mode gets the answer", async () => {
    const answer = await startTogether().connect.startVerification(request, withKey(name).options);
    const other = startServer(
      fixture,
      { startVerification: () => ({ verificationId: "carried out again" }) },
      { caller: { ...liveCaller, keyId: "key_2", keyPrefix: "pk_live_2" } },
    );
    expect(await other.connect.startVerification(request, withKey(name).options)).toEqual(answer);
  });

  test("another RPC with the same key is another request", async () => {
    const server = startServer(fixture, { startVerification: () => ({}), checkVerification: () => ({}) });
    await server.connect.startVerification({}, withKey(name).options);
    expect(await codeOf(server.connect.checkVerification({}, withKey(name).options))).toBe("idempotency_key_reused");
  });
});

describe("what is stored", () => {
  test("is unreadable: neither the answer nor the request is in the table", async () => {
    const server = startTogether(() => "vrf_ofTheAnswer");
    await server.connect.startVerification({ recipient: "secret@example.com" }, withKey(name).options);
    const stored = await fixture.stored(name);
    expect(stored).toContain(name);
    expect(stored).not.toMatch(/vrf_ofTheAnswer|secret@example/);
  });

  test("is read under an older secret, and by a server that knows a newer one first", async () => {
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
    const server = startTogether();
    await sweepIdempotency(fixture.database);
    for (let index = 0; index < 7; index += 1) {
      await server.connect.startVerification(request, withKey(`${name}-${index}`).options);
    }
    await fixture.setNowMs(startMs + 3_600_000);
    await server.connect.startVerification(request, withKey(`${name}-later`).options);
    await fixture.setNowMs(startMs + 86_400_000);
    expect(await sweepIdempotency(fixture.database, 3)).toBeGreaterThanOrEqual(7);
    expect(await fixture.stored(`${name}-0`)).toBeUndefined();
    expect(await fixture.stored(`${name}-later`)).toBeDefined();
    expect(await sweepIdempotency(fixture.database, 3)).toBe(0);
  });
});

test("fields of a validation error come back as they were", async () => {
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
});
