import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Channel, StartVerificationResponseSchema } from "../../gen/byond/v1/verify_pb.ts";
import { commitWithAnswer } from "../../src/idempotency/idempotency-claim.ts";
import { querySql } from "../support/sql.ts";
import {
  claimSeconds,
  codeOf,
  type Fixture,
  insertEffect,
  openFixture,
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

/** Leaves the answer to the interceptor. */
function startPlainly() {
  return startServer(fixture, {
    async startVerification() {
      await fixture.database.run(insertEffect, { name });
      return { verificationId: `vrf_${Math.random()}` };
    },
  });
}

const request = { channel: Channel.EMAIL, recipient: "a@example.com" };

describe.each([
  ["together with the effect", () => startTogether(fixture, name)],
  ["after the call", startPlainly],
])("an answer that is stored %s", (_name, start) => {
  test("is replayed, with a header that says so, and the effect happens once", async () => {
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
    const overRest = await other.restStart("a@example.com", name);
    expect(overRest.status).toBe(201);
    expect(JSON.parse(overRest.body)).toMatchObject({ verification_id: answer.verificationId });
    expect(overRest.headers.get("idempotent-replayed")).toBe("true");
    expect(overRest.headers.get("x-of-the-gate")).toBe("kept");
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

test("without the header every call is carried out, and nothing is kept", async () => {
  const server = startTogether(fixture, name);
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

  test("a claim without an answer expires; then the retry is carried out", async () => {
    await crash();
    const server = startTogether(fixture, name);
    expect(await codeOf(server.grpc.startVerification(request, withKey(name).options))).toBe("idempotency_in_progress");
    await fixture.setNowMs(startMs + (claimSeconds - 1) * 1_000);
    expect(await codeOf(server.grpc.startVerification(request, withKey(name).options))).toBe("idempotency_in_progress");
    await fixture.setNowMs(startMs + claimSeconds * 1_000);
    await server.grpc.startVerification(request, withKey(name).options);
    expect(await fixture.effects(name)).toBe(1);
  });

  test("a claim that expired cannot be taken over by another message", async () => {
    await crash();
    await fixture.setNowMs(startMs + claimSeconds * 1_000);
    const other = startTogether(fixture, name).connect.startVerification(
      { recipient: "b@example.com" },
      withKey(name).options,
    );
    expect(await codeOf(other)).toBe("idempotency_key_reused");
  });

  test("twenty retries at once, when the claim has expired: one effect", async () => {
    await crash();
    await fixture.setNowMs(startMs + claimSeconds * 1_000);
    const server = startTogether(fixture, name);
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
          await queryable.run(insertEffect, { name });
          insideSlow.resolve();
          await resume.promise;
          return { verificationId: "slow" };
        }),
    });
    const slowCall = codeOf(slow.connect.startVerification(request, withKey(name).options));
    await insideSlow.promise;
    await fixture.setNowMs(startMs + claimSeconds * 1_000);
    const retried = await startTogether(fixture, name, () => "retried").connect.startVerification(
      request,
      withKey(name).options,
    );
    expect(retried.verificationId).toBe("retried");
    resume.resolve();
    expect(await slowCall).toBe("idempotency_in_progress");
    expect(await fixture.effects(name)).toBe(1);
    const replayed = await startTogether(fixture, name).connect.startVerification(request, withKey(name).options);
    expect(replayed.verificationId).toBe("retried");
  });

  test("a call that outlives its claim stores its answer if no retry took over", async () => {
    const server = startServer(fixture, {
      startVerification: (_request, context) =>
        commitWithAnswer(context, fixture.database, StartVerificationResponseSchema, async (queryable) => {
          await queryable.run(insertEffect, { name });
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
        await querySql(fixture.database, { name: "hide", text: "ALTER TABLE idempotency RENAME TO hidden" }, []);
        return { verificationId: "done" };
      },
    });
    try {
      const answer = await server.connect.startVerification(request, withKey(name).options);
      expect(answer.verificationId).toBe("done");
      expect(server.logLines.join()).toContain("idempotent_response_not_stored");
    } finally {
      await querySql(fixture.database, { name: "show", text: "ALTER TABLE hidden RENAME TO idempotency" }, []);
    }
  });
});
