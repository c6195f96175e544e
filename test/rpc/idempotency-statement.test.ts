import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { StartVerificationResponseSchema } from "../../gen/byond/v1/verify_pb.ts";
import { claimLost, idempotencyClaimKey } from "../../src/rpc/idempotency-claim.ts";
import { claimStatement, claimValues } from "../../src/rpc/idempotency-statement.ts";
import { claimSeconds, type Fixture, openFixture, startMs, startServer, withKey } from "./idempotency-fixture.ts";

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

const parts = claimStatement({
  workspaceId: "$1",
  realm: "$2",
  key: "$3",
  claimId: "$4",
  answerSealed: "$5",
});

/** An operation of one statement: an effect, unless `$7` is false. */
const operation = {
  name: "one_statement",
  text: `
    WITH claim AS (${parts.held}),
      effect AS (
        INSERT INTO effect (name) SELECT $6 WHERE $7::boolean AND ${parts.mayProceed("claim")} RETURNING name
      ),
      answered AS (${parts.answered("effect")})
    SELECT count(*)::int AS effects FROM effect`,
};

function startServerOfOneStatement(options: { id?: string; isPossible?: boolean; before?: () => Promise<void> } = {}) {
  return startServer(fixture, {
    async startVerification(_request, context) {
      await options.before?.();
      const response = { verificationId: options.id ?? `vrf_${Math.random()}` };
      const [row] = await fixture.database.query<{ effects: number }>(operation, [
        "ws_1",
        ...claimValues(context, StartVerificationResponseSchema, response),
        name,
        options.isPossible ?? true,
      ]);
      if (row?.effects !== 1) {
        throw claimLost();
      }
      context.values.get(idempotencyClaimKey)?.noteCompleted();
      return response;
    },
  }).connect;
}

test("effect and answer are one statement, and the answer is replayed", async () => {
  const client = startServerOfOneStatement();
  const answer = await client.startVerification({}, withKey(name).options);
  expect(await client.startVerification({}, withKey(name).options)).toEqual(answer);
  expect(await fixture.effects(name)).toBe(1);
});

test("without an idempotency key there is the effect alone", async () => {
  const client = startServerOfOneStatement();
  await client.startVerification({});
  await client.startVerification({});
  expect(await fixture.effects(name)).toBe(2);
});

test("without an effect there is no answer, and the next call is a new try", async () => {
  await expect(
    startServerOfOneStatement({ isPossible: false }).startVerification({}, withKey(name).options),
  ).rejects.toThrow();
  await startServerOfOneStatement().startVerification({}, withKey(name).options);
  expect(await fixture.effects(name)).toBe(1);
});

test("a call whose claim was taken over has no effect", async () => {
  const slow = startServerOfOneStatement({
    id: "slow",
    before: async () => {
      await fixture.setNowMs(startMs + claimSeconds * 1_000);
      await startServerOfOneStatement({ id: "retried" }).startVerification({}, withKey(name).options);
    },
  });
  const error = await slow.startVerification({}, withKey(name).options).catch(ConnectError.from);
  expect(error instanceof ConnectError && error.findDetails(ErrorInfoSchema)[0]?.code).toBe("idempotency_in_progress");
  expect(await fixture.effects(name)).toBe(1);
  const replayed = await startServerOfOneStatement().startVerification({}, withKey(name).options);
  expect(replayed.verificationId).toBe("retried");
});

test("a claim that is taken over while the statement waits for it has no effect either", async () => {
  const makeClaim = `
    INSERT INTO idempotency (workspace_id, realm, key, fingerprint, claim_id, claimed_until, created_at)
    VALUES ('ws_1', 'live', $1, '', 'mine', byond_now(), byond_now())`;
  const takeOver = "UPDATE idempotency SET claim_id = 'another' WHERE key = $1";
  await fixture.database.query({ name: "make_claim", text: makeClaim }, [name]);
  let late: Promise<{ effects: number }[]> | undefined;
  await fixture.database.transaction(async (transaction) => {
    await transaction.query({ name: "take_over", text: takeOver }, [name]);
    const answer = Buffer.from("sealed");
    late = fixture.database.query(operation, ["ws_1", "live", name, "mine", answer, name, true]);
    await untilSomebodyWaits();
  });
  expect(await late).toEqual([{ effects: 0 }]);
  expect(await fixture.effects(name)).toBe(0);
});

async function untilSomebodyWaits(): Promise<void> {
  const text = `
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  for (let attempt = 0; attempt < 2_000; attempt += 1) {
    const [row] = await fixture.database.query<{ count: number }>({ name: "waiting", text }, []);
    if (row?.count === 1) {
      return;
    }
  }
  throw new Error("nobody waited");
}
