/** `byond servers`, on two servers that are in the middle of a rotation and differ in a setting. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { ServerProcess } from "../support/processes.ts";
import { MainProcess } from "./main-process.ts";

const [old, next] = [
  "the first secret of the tests that is long enough",
  "the second secret of the tests that is long enough",
];

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

async function servers(args: readonly string[], url = database.url, secret = old) {
  await using main = new MainProcess({
    args: ["servers", ...args],
    environment: { DATABASE_URL: url, BYOND_SECRET: secret },
  });
  const { code } = await main.exited;
  return { code, output: main.output, said: main.log };
}

test("lists what runs, where it differs and what is next in a rotation, and no password", async () => {
  expect(await servers([])).toEqual({ code: 0, output: "No server runs on this database.\n", said: "" });
  const common = { SMTP_URL: "smtp://user:opensesame@127.0.0.1:9", MAIL_FROM: "a@b.example" };
  const start = (environment: Record<string, string>) =>
    ServerProcess.start({ databaseUrl: database.url, environment: { ...common, ...environment } });
  await using first = await start({ BYOND_SECRET: old });
  await using second = await start({ BYOND_SECRET: `${old},${next}`, EVENT_RETENTION_DAYS: "7", LOG_LEVEL: "warn" });
  expect([first.isRunning, second.isRunning]).toEqual([true, true]);

  const { code, output, said } = await servers(["--json"]);
  expect([code, said]).toEqual([0, ""]);
  expect(output).not.toMatch(/opensesame|long enough/);
  const { servers: live, findings } = JSON.parse(output);
  expect(live).toHaveLength(2);
  const behind = live.find((server: { secretIds: string[] }) => server.secretIds.length === 1);
  expect(behind).toMatchObject({
    description: { version: expect.any(String), fields: { channels: { email: "smtp://127.0.0.1:9" } } },
  });
  expect(findings).toEqual([
    {
      about: "settings",
      verdict: "warning",
      found: expect.stringMatching(
        /^EVENT_RETENTION_DAYS differs: (unset on srv_\S+; set \(\w{6}\) on|set \(\w{6}\) on srv_\S+; unset on) srv_\S+$/,
      ),
      advice: "Give every server the same, and restart those that had another",
    },
    {
      about: "rotation",
      verdict: "warning",
      found: expect.stringMatching(/^step 2 of 4, BYOND_SECRET=\w{8},\w{8}, is not complete$/),
      advice: `Restart with it: ${behind.id}`,
    },
  ]);
  const text = (await servers([])).output;
  expect(text).not.toMatch(/^fault /m);
  expect((await servers([], database.url, "another secret that is long enough for a server")).output).toMatch(
    /^fault +secrets +BYOND_SECRET of this machine \(\w{8}\) is on none of these servers\.\n +→ Give it theirs: a server that is started here would be refused\.$/m,
  );
  expect(text).toMatch(/^server +host +pid +version +started \(UTC\) +database ahead +secrets\nsrv_/);
  expect(text).toContain("  email     smtp://127.0.0.1:9\n");
});

test("of a database that was not migrated, it says so and changes nothing", async () => {
  const empty = await createTestDatabase();
  try {
    expect(await servers([], empty.url)).toEqual({
      code: 1,
      output: "",
      said: "The database was not migrated by this version: run the command of the version that runs on it.\n",
    });
  } finally {
    await empty.drop();
  }
});
