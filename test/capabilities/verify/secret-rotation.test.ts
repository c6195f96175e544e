/** Rotating `BYOND_SECRET`: `old,new`, then `new,old`, then `new`, on one database, through the front door. */
import { expect, test } from "vitest";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { check, rowsOf, start, startAndRead, tally, wrongFor } from "./verify-calls.ts";

const old = "the old secret, which has thirty-two bytes";
const fresh = "the new secret, which has thirty-two bytes";

/** Another server on the same database, with other secrets. */
const serverBeside = (app: TestApp, secrets: readonly string[]) => app.startAnother({ secrets });

/** Starts a server although rows need a secret that it lacks: removes the records that the start would check. */
async function serverWithout(app: TestApp, secrets: readonly string[]): Promise<TestApp> {
  await rowsOf(app, "DELETE FROM master_secret");
  return app.startAnother({ secrets });
}

test("a pending verification can be checked while a server has its secret, and is expired afterwards", async () => {
  await using before = await startTestApp({ secrets: [old] });
  const key = await before.mintKey();
  const atOnce = await startAndRead(before, key, "at-once@example.com");
  const during = await startAndRead(before, key, "during@example.com");
  const after = await startAndRead(before, key, "after@example.com");
  expect(await check(before, key, atOnce.id, atOnce.code)).toBe("approved");

  await using both = await serverBeside(before, [old, fresh]);
  await before.app.close();
  expect(await check(both, key, during.id, wrongFor(during))).toBe("incorrect");
  const startedOnBoth = await startAndRead(both, key, "both@example.com");

  await using turned = await serverBeside(before, [fresh, old]);
  expect(await check(turned, key, during.id, during.code)).toBe("approved");
  expect(await check(turned, key, startedOnBoth.id, startedOnBoth.code)).toBe("approved");
  const startedOnTurned = await startAndRead(turned, key, "turned@example.com");
  const forTheRest = await startAndRead(turned, key, "rest@example.com");
  // While servers are being replaced, those that still write with the old secret read the new one's.
  expect(await check(both, key, startedOnTurned.id, wrongFor(startedOnTurned))).toBe("incorrect");
  expect(await check(both, key, startedOnTurned.id, startedOnTurned.code)).toBe("approved");
  await both.app.close();

  await using rotated = await serverWithout(before, [fresh]);
  expect(await check(rotated, key, after.id, after.code)).toBe("expired");
  expect(await check(rotated, key, forTheRest.id, forTheRest.code)).toBe("approved");
});

test("a payment that was started before is approved while a server has its secret", async () => {
  const payment = { payee: "Ada", amount: { value: "249.90", currency: "EUR" } };
  await using before = await startTestApp({ secrets: [old] });
  const key = await before.mintKey();
  const { id, code } = await startAndRead(before, key, "paid@example.com", { reuse: "pending", ...payment });
  await before.app.close();
  await using turned = await serverBeside(before, [fresh, old]);
  const again = await start(turned, key, "paid@example.com", { reuse: "pending", ...payment });
  expect(again.body).toMatchObject({ reused: true, verification_id: id });
  const checked = async (fields: object) => {
    const body = { verification_id: id, code, ...fields };
    return (await turned.rest("POST", "/verify/check", { key, body })).body.status;
  };
  expect([await checked({ ...payment, payee: "Eve" }), await checked({}), await checked(payment)]).toEqual([
    "incorrect",
    "incorrect",
    "approved",
  ]);
});

test("a wrong code for a verification whose secret is gone is not counted", async () => {
  await using before = await startTestApp({ secrets: [old] });
  const key = await before.mintKey();
  const started = await startAndRead(before, key, "gone@example.com");
  await before.app.close();
  await using rotated = await serverWithout(before, [fresh]);
  expect(await check(rotated, key, started.id, wrongFor(started))).toBe("expired");
  expect(await rowsOf(before, "SELECT attempts FROM verification")).toEqual([{ attempts: 0 }]);
  expect(await rowsOf(before, "SELECT key FROM throttle WHERE key LIKE 'guess:%'")).toEqual([]);
});

test("a recipient's limits survive every step of a rotation", async () => {
  await using before = await startTestApp({ secrets: [old] });
  const key = await before.mintKey();
  const starts = async (app: TestApp, recipient: string) => (await start(app, key, recipient)).status;
  const guessFiveTimes = async (app: TestApp, recipient: string) => {
    const { body } = await start(app, key, recipient);
    for (let attempt = 0; attempt < 5; attempt++) {
      await check(app, key, body.verification_id, "1");
    }
  };
  // Two codes of three, and five guesses of ten.
  expect([await starts(before, "sends@example.com"), await starts(before, "sends@example.com")]).toEqual([201, 201]);
  await guessFiveTimes(before, "guesses@example.com");

  await using both = await serverBeside(before, [old, fresh]);
  await before.app.close();
  await using turned = await serverBeside(before, [fresh, old]);
  expect(await starts(turned, "sends@example.com")).toBe(201);
  for (const server of [turned, both]) {
    expect(await starts(server, "sends@example.com")).toBe(429);
  }
  await guessFiveTimes(turned, "guesses@example.com");
  for (const server of [turned, both]) {
    const { status, body } = await start(server, key, "guesses@example.com");
    expect(status).toBe(429);
    expect(body.error.retry_after).toBeGreaterThan(3_600);
  }

  // What was used while both were known counts on when only the new one is.
  for (const server of [turned, both, turned]) {
    expect(await starts(server, "late@example.com")).toBe(201);
  }
  await guessFiveTimes(both, "late-guesses@example.com");
  await guessFiveTimes(turned, "late-guesses@example.com");
  await both.app.close();
  await using rotated = await serverWithout(before, [fresh]);
  expect(await starts(rotated, "late@example.com")).toBe(429);
  expect(await starts(rotated, "late-guesses@example.com")).toBe(429);
});

test("a recipient's limits are exact while servers of two steps of a rotation run side by side", async () => {
  await using owner = await startTestApp({ secrets: [old] });
  const key = await owner.mintKey();
  await owner.app.close();
  for (const [index, [first, second]] of [
    [[old], [old, fresh]],
    [
      [old, fresh],
      [fresh, old],
    ],
    [[fresh, old], [fresh]],
  ].entries()) {
    await using one = await serverBeside(owner, first ?? []);
    await using other = await serverWithout(owner, second ?? []);
    const recipient = `side-by-side-${index}@example.com`;
    const calls = Array.from({ length: 40 }, (_, call) => start(call % 2 === 0 ? one : other, key, recipient));
    expect(tally((await Promise.all(calls)).map(({ status }) => status))).toEqual({ 201: 3, 429: 37 });
  }
});

test("resends, lists and erasures find a recipient under every known secret", async () => {
  await using before = await startTestApp({ secrets: [old] });
  const key = await before.mintKey();
  const { id } = await startAndRead(before, key, "before@example.com");
  const resend = (app: TestApp, body: object) => app.rest("POST", `/verify/${id}/resend`, { key, body });
  expect((await resend(before, { channel: "whatsapp", recipient: "+6591230001" })).status).toBe(200);
  await before.app.close();
  await using turned = await serverBeside(before, [fresh, old]);
  expect((await resend(turned, { channel: "whatsapp", recipient: "+6591230002" })).status).toBe(422);
  const { status, body } = await resend(turned, { channel: "whatsapp" });
  expect(status).toBe(200);
  expect(body.deliveries.map((each: { recipient: string }) => each.recipient)).toEqual([
    "b•••@example.com",
    "+65••••0001",
    "+65••••0001",
  ]);
  for (const recipient of ["before%40example.com", "%2B6591230001"]) {
    const list = await turned.rest("GET", `/verifications?recipient=${recipient}`, { key });
    expect(list.body.verifications).toHaveLength(1);
  }
  const erased = await turned.rest("POST", "/verifications/erase", { key, body: { recipient: "+6591230001" } });
  expect(erased.body).toEqual({ erased: 1 });
});

test("a server without a secret does not accept codes derived from it; API keys work with any secret", async () => {
  await using mine = await startTestApp({ secrets: [old] });
  const key = await mine.mintKey();
  await mine.app.close();
  await using theirs = await serverWithout(mine, [fresh]);
  expect((await theirs.rest("GET", "/lookup?number=%2B6591234567", { key })).status).toBe(200);
  const started = await startAndRead(theirs, key, "theirs@example.com");
  await theirs.app.close();
  await using again = await serverWithout(mine, [old]);
  expect(await check(again, key, started.id, started.code)).toBe("expired");
  await again.app.close();
  await using theirsAgain = await serverWithout(mine, [fresh]);
  expect(await check(theirsAgain, key, started.id, started.code)).toBe("approved");
});

test("the database contains neither the code nor the unsealed recipient", async () => {
  await using app = await startTestApp({ secrets: [old] });
  const key = await app.mintKey();
  const { code } = await startAndRead(app, key, "nowhere-to-be-found@example.com", { code_length: 10 });
  const tables = await rowsOf(
    app,
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
  );
  expect(tables.length).toBeGreaterThan(5);
  for (const { table_name: table } of tables) {
    const rows = await rowsOf(app, `SELECT row_to_json(t)::text AS json FROM "${table}" t`);
    for (const { json } of rows) {
      const text = String(json);
      // bytea is written in hexadecimal digits.
      for (const secret of [code, "nowhere-to-be-found"]) {
        expect(text).not.toContain(secret);
        expect(text).not.toContain(Buffer.from(secret).toString("hex"));
      }
    }
  }
});
