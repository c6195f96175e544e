/** Somebody has put a cookie of their own into the browser of somebody else, from a neighbouring host or port. */
import { expect, test } from "vitest";
import { password, type RestAnswer, useTestApp } from "../support/app.ts";

const app = useTestApp();
const ownPage = { "Byond-Session": "cookie", "Sec-Fetch-Site": "same-origin" };
const cookieOf = ({ headers }: RestAnswer) => headers.get("set-cookie")?.split(";")[0] ?? "";
const withCookie = (cookie: string) => ({ headers: { ...ownPage, Cookie: cookie } });

async function signIn(email: string, cookie = "") {
  const call = cookie === "" ? { headers: ownPage } : withCookie(cookie);
  const answer = await app.rest("POST", "/auth/sign-in", { body: { email, password }, ...call });
  expect(answer.status).toBe(200);
  return cookieOf(answer);
}

test("whoever signs in beside it has a session of their own, which the other cookie never becomes", async () => {
  const [attacker, victim] = [await app.signUp("the attacker"), await app.signUp("the victim")];
  const planted = await signIn(attacker.email);
  const own = await signIn(victim.email, planted);
  expect(own).not.toBe(planted);
  const userOf = async (cookie: string) => (await app.rest("GET", "/auth/me", withCookie(cookie))).body.user_id;
  expect([await userOf(own), await userOf(planted)]).toEqual([victim.userId, attacker.userId]);
  const refreshed = await app.rest("POST", "/auth/refresh", { body: {}, ...withCookie(planted) });
  expect(await userOf(cookieOf(refreshed))).toBe(attacker.userId);
  await app.rest("POST", "/auth/sign-out", { body: {}, ...withCookie(cookieOf(refreshed)) });
  expect(await userOf(own)).toBe(victim.userId);
});

test("of a cookie with the tokens of two people, the refresh token says whose session goes on", async () => {
  const [attacker, victim] = [await app.signUp("the attacker"), await app.signUp("the victim")];
  const [planted, own] = [await signIn(attacker.email), await signIn(victim.email)];
  const [name = "", ...tokens] = planted.split(/[=~]/);
  const [, ...others] = own.split(/[=~]/);
  const mixed = `${name}=${tokens[0]}~${others[1]}`;
  const refreshed = await app.rest("POST", "/auth/refresh", { body: {}, ...withCookie(mixed) });
  // Who has the refresh token has the session: nothing is gained by an access token of somebody else beside it.
  expect(refreshed).toMatchObject({ status: 200, body: { user_id: victim.userId } });
  const { body } = await app.rest("GET", "/auth/me", withCookie(cookieOf(refreshed)));
  expect(body.user_id).toBe(victim.userId);
});

test.each(["\u00e9", "%7E", '"', "a".repeat(6_000), "~".repeat(500), "a~", "~a", "a~b~", "\\"])(
  "a cookie of %j is no session, and no fault",
  async (value) => {
    const { port } = new URL(app.url);
    const call = withCookie(`byond_session_${port}=${value}`);
    expect((await app.rest("GET", "/auth/me", call)).status).toBe(401);
    expect((await app.rest("POST", "/auth/refresh", { body: {}, ...call })).status).toBe(401);
    expect((await app.rest("POST", "/auth/sign-out", { body: {}, ...call })).status).toBeLessThan(500);
  },
);
