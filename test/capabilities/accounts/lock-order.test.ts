/** An account and its rows are locked in one order, so that there is no deadlock. */
import pg from "pg";
import { expect, test } from "vitest";
import { password, startTestApp } from "../../support/app.ts";

test("deleting an account and proving its address at the same moment end both, without a deadlock", async () => {
  await using app = await startTestApp();
  const email = "contested@example.com";
  const signUp = async (secret: string) =>
    (await app.rest("POST", "/auth/sign-up", { body: { email, password: secret, name: "Acme" } })).body;
  const squatter = await signUp(password);
  const owner = await signUp(`${password} of the owner`);
  await app.rest("POST", "/api-keys", { session: squatter.access_token, body: { name: "a key" } });
  await app.rest("POST", "/auth/verify-email", { session: owner.access_token });
  const [code = ""] = /(?<!\d)\d{6,8}(?!\d)/.exec((await app.messageTo(email)).text) ?? [];

  const [blocker, observer] = [new pg.Client(app.databaseUrl), new pg.Client(app.databaseUrl)];
  await Promise.all([blocker.connect(), observer.connect()]);
  const waiting = async (count: number) => {
    for (let look = 0; look < 2_000; look += 1) {
      const { rowCount } = await observer.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      if (rowCount === count) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`${count} statements never waited`);
  };
  await blocker.query("BEGIN");
  await blocker.query("SELECT FROM api_key FOR UPDATE");
  const deletion = app.rest("POST", "/auth/delete-account", { session: squatter.access_token, body: { password } });
  await waiting(1);
  const proof = app.rest("POST", "/auth/verify-email/check", { session: owner.access_token, body: { code } });
  await waiting(2);
  await blocker.query("ROLLBACK");
  await Promise.all([blocker.end(), observer.end()]);
  expect((await proof).body).toMatchObject({ status: "approved" });
  expect((await deletion).status).toBe(200);
});
