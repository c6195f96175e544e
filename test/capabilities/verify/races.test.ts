/** Attempts and limits under parallel calls: over HTTP, on a real PostgreSQL. */
import { beforeAll, describe, expect, test } from "vitest";
import { startTestApp, useTestApp } from "../../support/app.ts";
import {
  check,
  inbox,
  messagesTo,
  rowsOf,
  type Started,
  start,
  startAndRead,
  startAndReadEach,
  tally,
  wrongFor,
} from "./verify-calls.ts";

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey();
});

const times = <T>(count: number, each: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => each(i));

async function attemptsOf({ id }: Started): Promise<unknown> {
  const [row] = await rowsOf(app, "SELECT attempts FROM verification WHERE id = $1", [id]);
  return row?.attempts;
}

/** The wrong codes counted for each recipient that has not all its guesses back. */
async function guessesCharged(): Promise<number[]> {
  const rows = await rowsOf(
    app,
    `SELECT extract(epoch FROM tat - byond_now())::float8 / 8640 AS guesses FROM throttle
     WHERE key LIKE 'guess:%' AND tat > byond_now()`,
  );
  // Tokens that came back meanwhile are worth seconds, not hours: rounding removes them.
  return rows.map(({ guesses }) => Math.round(Number(guesses) * 100) / 100);
}

/** Advances the clock until all recipients have all their guesses back. */
const restoreAllGuesses = () => app.time.advance({ seconds: 86_400 });

describe("one verification", () => {
  test("two hundred parallel wrong codes cost exactly five attempts", async () => {
    const started = await startAndRead(app, key, "wrong@example.com");
    const outcomes = await Promise.all(times(200, () => check(app, key, started.id, wrongFor(started))));
    expect(tally(outcomes)).toEqual({ incorrect: 4, locked: 196 });
    expect(await attemptsOf(started)).toBe(5);
    expect(await check(app, key, started.id, started.code)).toBe("locked");
  });

  test("two hundred parallel right codes approve once", async () => {
    const started = await startAndRead(app, key, "right@example.com");
    const outcomes = await Promise.all(times(200, () => check(app, key, started.id, started.code)));
    expect(tally(outcomes)).toEqual({ approved: 1, expired: 199 });
    expect(await attemptsOf(started)).toBe(1);
  });

  test("parallel right and wrong codes approve at most once, after at most four wrong ones, or lock", async () => {
    for (const [round, stride] of [2, 3, 7, 20, 40].entries()) {
      const started = await startAndRead(app, key, `mixed-${round}@example.com`);
      const outcomes = tally(
        await Promise.all(
          times(80, (index) => {
            const isRight = index % stride === stride - 1;
            return check(app, key, started.id, isRight ? started.code : wrongFor(started));
          }),
        ),
      );
      const { approved = 0, incorrect = 0, locked = 0, expired = 0 } = outcomes;
      expect(approved + incorrect + locked + expired).toBe(80);
      if (approved === 0) {
        expect({ incorrect, locked }).toEqual({ incorrect: 4, locked: 76 });
        expect(await attemptsOf(started)).toBe(5);
      } else {
        expect({ approved, locked }).toEqual({ approved: 1, locked: 0 });
        expect(incorrect).toBeLessThanOrEqual(4);
        expect(await attemptsOf(started)).toBe(incorrect + 1);
      }
    }
  });

  test("two hundred parallel wrong codes over two servers cost exactly five attempts", async () => {
    await using other = await app.startAnother();
    const started = await startAndRead(app, key, "two-servers@example.com");
    const outcomes = await Promise.all(
      times(200, (index) => check(index % 2 === 0 ? app : other, key, started.id, wrongFor(started))),
    );
    expect(tally(outcomes)).toEqual({ incorrect: 4, locked: 196 });
    expect(await attemptsOf(started)).toBe(5);
  });
});

describe("the limit of wrong codes for a recipient", () => {
  test("two hundred parallel wrong codes over three verifications count exactly ten", async () => {
    await restoreAllGuesses();
    const recipient = "guessed@example.com";
    const started = await startAndReadEach(app, key, recipient, 3);
    const outcomes = await Promise.all(
      times(198, (index) => {
        const target = started[index % 3];
        return target === undefined ? "none" : check(app, key, target.id, wrongFor(target));
      }),
    );
    // Of five wrong codes for one verification, four are told "incorrect" and the last one "locked".
    const { incorrect = 0, ...rest } = tally(outcomes);
    expect(incorrect).toBeGreaterThanOrEqual(8);
    expect(incorrect).toBeLessThanOrEqual(10);
    expect(rest).toEqual({ locked: 198 - incorrect });
    expect(await guessesCharged()).toEqual([10]);
    for (const { id, code } of started) {
      expect(await check(app, key, id, code)).toBe("locked");
    }
  });

  test("the right code is approved after nine wrong ones, and locked after ten", async () => {
    const nine = await startAndReadEach(app, key, "nine@example.com", 3);
    const ten = await startAndReadEach(app, key, "ten@example.com", 3);
    const threeEach = (list: Started[]) =>
      Promise.all(list.flatMap((started) => times(3, () => check(app, key, started.id, wrongFor(started)))));
    expect(tally(await threeEach(nine))).toEqual({ incorrect: 9 });
    expect(tally(await threeEach(ten))).toEqual({ incorrect: 9 });
    const [first, second] = ten;
    expect(first && (await check(app, key, first.id, wrongFor(first)))).toBe("incorrect");
    expect(second && (await check(app, key, second.id, second.code))).toBe("locked");
    expect(nine[0] && (await check(app, key, nine[0].id, nine[0].code))).toBe("approved");
  });

  test("after ten wrong codes, starts are refused until a guess is back; one comes back every 2.4 hours", async () => {
    const recipient = "used-up@example.com";
    for (const started of await startAndReadEach(app, key, recipient, 2)) {
      await Promise.all(times(5, () => check(app, key, started.id, wrongFor(started))));
    }
    const refused = await start(app, key, recipient);
    expect(refused.status).toBe(429);
    expect(refused.body.error).toMatchObject({ code: "rate_limited" });
    expect(refused.body.error.retry_after).toBeGreaterThan(8_600);
    expect(refused.body.error.retry_after).toBeLessThanOrEqual(8_640);

    await app.time.advance({ seconds: 8_600 });
    expect((await start(app, key, recipient)).status).toBe(429);

    await app.time.advance({ seconds: 41 });
    const again = await start(app, key, recipient);
    expect(again.status).toBe(201);
    const id = again.body.verification_id;
    const outcomes = await Promise.all(times(20, () => check(app, key, id, "1")));
    expect(tally(outcomes)).toEqual({ incorrect: 1, locked: 19 });
    expect((await start(app, key, recipient)).status).toBe(429);

    // 24 hours later it is whole again, and not more than whole.
    await app.time.advance({ seconds: 10 * 8_640 });
    await app.time.advance({ seconds: 10 * 8_640 });
    const fresh = [];
    for (const _ of times(3, () => 0)) {
      fresh.push((await start(app, key, recipient)).body.verification_id);
    }
    await Promise.all(fresh.flatMap((verification) => times(10, () => check(app, key, verification, "1"))));
    expect(await guessesCharged()).toEqual([10]);
  });

  test("every recipient, workspace and mode has a limit of its own", async () => {
    const recipient = "own-budget@example.com";
    for (const started of await startAndReadEach(app, key, recipient, 2)) {
      await Promise.all(times(5, () => check(app, key, started.id, wrongFor(started))));
    }
    expect((await start(app, key, recipient)).status).toBe(429);
    expect((await start(app, key, "another@example.com")).status).toBe(201);
    expect((await start(app, await app.mintKey(), recipient)).status).toBe(201);
    const { session } = await app.signUp();
    const [live, sandbox] = await Promise.all(
      ["live", "test"].map(async (mode) => {
        const { body } = await app.rest("POST", "/api-keys", { session, body: { name: mode, mode } });
        return String(body.key);
      }),
    );
    const first = await start(app, sandbox ?? "", recipient);
    const second = await start(app, sandbox ?? "", recipient);
    for (const { body } of [first, second]) {
      await Promise.all(times(5, () => check(app, sandbox ?? "", body.verification_id, "1")));
    }
    expect((await start(app, sandbox ?? "", recipient)).status).toBe(429);
    expect((await start(app, live ?? "", recipient)).status).toBe(201);
  });
});

describe("the limit of codes for a recipient", () => {
  test("of fifty parallel starts to one recipient, exactly three are accepted and sent", async () => {
    const answers = await Promise.all(times(50, () => start(app, key, "often@example.com")));
    expect(tally(answers.map(({ status }) => status))).toEqual({ 201: 3, 429: 47 });
    for (const { status, headers, body } of answers) {
      if (status === 429) {
        expect(body.error.retry_after).toBeGreaterThanOrEqual(1);
        expect(body.error.retry_after).toBeLessThanOrEqual(60);
        expect(headers.get("retry-after")).toBe(String(body.error.retry_after));
      }
    }
    expect(await messagesTo(app, "often@example.com", 3)).toHaveLength(3);
    const stored = await rowsOf(app, "SELECT count(*)::int AS count FROM verification WHERE id = ANY ($1)", [
      answers.map(({ body }) => body.verification_id ?? ""),
    ]);
    expect(stored).toEqual([{ count: 3 }]);
  });

  test("all spellings of a mailbox share one limit", async () => {
    const spellings = ["spelt@EXAMPLE.org", "SPELT@example.org", "spelt+1@example.org", "Spelt+a+b@example.org"];
    const answers = await Promise.all(times(40, (index) => start(app, key, spellings[index % 4] ?? "")));
    expect(tally(answers.map(({ status }) => status))).toEqual({ 201: 3, 429: 37 });
  });

  test("all spellings of a number share one limit, over every channel", async () => {
    const ways = [
      { channel: "whatsapp", recipient: "+6598765432" },
      { channel: "sms", recipient: "+65 9876 5432" },
      { channel: "voice", recipient: "+65-9876-5432" },
      { channel: "whatsapp", recipient: "+65 (9876) 5432" },
    ];
    const answers = await Promise.all(times(40, (index) => start(app, key, "", ways[index % 4])));
    expect(tally(answers.map(({ status }) => status))).toEqual({ 201: 3, 429: 37 });
  });

  test("one token comes back each minute, up to three", async () => {
    const burst = async () => {
      const answers = await Promise.all(times(20, () => start(app, key, "patient@example.com")));
      return answers.filter(({ status }) => status === 201).length;
    };
    expect(await burst()).toBe(3);
    await app.time.advance({ seconds: 50 });
    expect(await burst()).toBe(0);
    await app.time.advance({ seconds: 10 });
    expect(await burst()).toBe(1);
    await app.time.advance({ seconds: 120 });
    expect(await burst()).toBe(2);
    await app.time.advance({ seconds: 86_400 });
    expect(await burst()).toBe(3);
  });

  test("Retry-After is exact: a start ten seconds earlier is refused, a start at that time is accepted", async () => {
    for (const _ of times(3, () => 0)) {
      expect((await start(app, key, "exact@example.com")).status).toBe(201);
    }
    const { body } = await start(app, key, "exact@example.com");
    await app.time.advance({ seconds: body.error.retry_after - 10 });
    expect((await start(app, key, "exact@example.com")).status).toBe(429);
    await app.time.advance({ seconds: 10 });
    expect((await start(app, key, "exact@example.com")).status).toBe(201);
  });
});

test("a refused start stores nothing and sends nothing", async () => {
  await using server = await startTestApp();
  const serverKey = await server.mintKey();
  await startAndReadEach(server, serverKey, "three@example.com", 3);
  const counts = () =>
    rowsOf(server, "SELECT (SELECT count(*) FROM verification) AS started, (SELECT count(*) FROM outbox) AS messages");
  const before = await counts();
  expect((await start(server, serverKey, "three@example.com")).status).toBe(429);
  expect(await counts()).toEqual(before);
  expect(await inbox(server)).toHaveLength(3);
});
