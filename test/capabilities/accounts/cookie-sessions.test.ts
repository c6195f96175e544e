import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { AuthService } from "../../../gen/byond/v1/auth_pb.ts";
import { makeTlsFolder } from "../../server/tls-folder.ts";
import { password, type RestAnswer, startTestApp, type TestApp, useTestApp } from "../../support/app.ts";
import { freePort } from "../../support/free-port.ts";
import { loopbackProxy } from "../../support/loopback-proxy.ts";

const server = useTestApp();

/** What a browser sends with a call of a page of the server. */
const ownPage = { "Byond-Session": "cookie", "Sec-Fetch-Site": "same-origin" };

/** The cookie of an answer, as the browser sends it back. */
const cookieOf = ({ headers }: Pick<RestAnswer, "headers">) => headers.get("set-cookie")?.split(";")[0] ?? "";

/** Signs an account in, as the console does. */
async function signInByCookie(app: TestApp = server) {
  const account = await app.signUp();
  const answer = await app.rest("POST", "/auth/sign-in", {
    body: { email: account.email, password },
    headers: ownPage,
  });
  return { account, answer, cookie: cookieOf(answer), headers: { ...ownPage, Cookie: cookieOf(answer) } };
}

const me = (app: TestApp, headers: Readonly<Record<string, string>>) => app.rest("GET", "/auth/me", { headers });

describe("a session in a cookie", () => {
  test("begins with sign-in, and its tokens are in the cookie alone", async () => {
    const { account, answer, headers } = await signInByCookie();
    expect(answer).toMatchObject({
      status: 200,
      body: { user_id: account.userId, access_token: "", refresh_token: "" },
    });
    const { port } = new URL(server.url);
    expect(answer.headers.get("set-cookie")).toMatch(
      new RegExp(
        `^byond_session_${port}=[\\w-]+\\.[\\w-]+\\.[\\w-]+~rt_[\\w.]+; Max-Age=(2591999|2592000); HttpOnly; SameSite=Strict; Path=/$`,
      ),
    );
    expect(await me(server, headers)).toMatchObject({ status: 200, body: { user_id: account.userId } });
  });

  test("begins with sign-up", async () => {
    const body = { email: "cookie-sign-up@example.com", password, name: "Acme" };
    const answer = await server.rest("POST", "/auth/sign-up", { body, headers: ownPage });
    expect(answer).toMatchObject({ status: 201, body: { access_token: "", refresh_token: "" } });
    expect((await me(server, { ...ownPage, Cookie: cookieOf(answer) })).body.email).toBe(body.email);
  });

  test("is the same over Connect and gRPC-Web", async () => {
    const { account } = await signInByCookie();
    for (const create of [createConnectTransport, createGrpcWebTransport]) {
      const client = createClient(AuthService, create({ baseUrl: server.url, httpVersion: "1.1" }));
      let cookie = "";
      const onHeader = (headers: Headers) => {
        cookie = cookieOf({ headers });
      };
      const signedIn = await client.signIn({ email: account.email, password }, { headers: ownPage, onHeader });
      expect(signedIn).toMatchObject({ accessToken: "", refreshToken: "" });
      const headers = { ...ownPage, Cookie: cookie };
      expect(await client.getMe({}, { headers })).toMatchObject({ userId: account.userId });
      expect(await client.refreshSession({}, { headers })).toMatchObject({ accessToken: "", refreshToken: "" });
    }
  });

  test("goes on with the next tokens after a refresh, also from two tabs at once", async () => {
    const { headers } = await signInByCookie();
    const refresh = () => server.rest("POST", "/auth/refresh", { body: {}, headers });
    const tabs = await Promise.all([refresh(), refresh()]);
    expect(tabs.map(({ status, body }) => [status, body.access_token, body.refresh_token])).toEqual([
      [200, "", ""],
      [200, "", ""],
    ]);
    const [one, other] = tabs.map(cookieOf);
    expect(one?.split("~")[1]).toBe(other?.split("~")[1]);
    for (const cookie of [one, other]) {
      expect((await me(server, { ...ownPage, Cookie: cookie ?? "" })).status).toBe(200);
    }
  });

  test("is refreshed after its access token has expired", async () => {
    const { headers } = await signInByCookie();
    await server.time.advance({ seconds: 16 * 60 });
    expect(await me(server, headers)).toMatchObject({ status: 401, body: { error: { code: "invalid_api_key" } } });
    const refreshed = await server.rest("POST", "/auth/refresh", { body: {}, headers });
    expect(refreshed.status).toBe(200);
    expect((await me(server, { ...ownPage, Cookie: cookieOf(refreshed) })).status).toBe(200);
  });

  test("takes over a session whose refresh token the call names", async () => {
    const { refreshToken, userId } = await server.signUp();
    const answer = await server.rest("POST", "/auth/refresh", {
      body: { refresh_token: refreshToken },
      headers: ownPage,
    });
    expect(answer.body).toMatchObject({ access_token: "", refresh_token: "" });
    expect((await me(server, { ...ownPage, Cookie: cookieOf(answer) })).body.user_id).toBe(userId);
  });

  test("leaves no token in the log", async () => {
    const { cookie, headers } = await signInByCookie();
    await me(server, headers);
    const [, access = "", refresh = ""] = /=(.+)~(.+)$/.exec(cookie) ?? [];
    expect(access).not.toBe("");
    const log = server.logLines.join("\n");
    expect(log).not.toContain(access);
    expect(log).not.toContain(refresh);
    expect(log).not.toContain(access.split(".")[2]);
  });

  test("keeps answers to Idempotency-Keys from those of the same session's other form", async () => {
    const { account, headers } = await signInByCookie();
    const key = { "Idempotency-Key": "change-1" };
    const change = (from: string, to: string, call: object) =>
      server.rest("POST", "/auth/change-password", { body: { current_password: from, new_password: to }, ...call });
    const [first, second] = ["first battery staple", "second battery staple"];
    const byToken = await change(password, first, { session: account.session, headers: key });
    expect(byToken.body.access_token).not.toBe("");
    expect((await me(server, headers)).status).toBe(401);
    const signedIn = await server.rest("POST", "/auth/sign-in", {
      body: { email: account.email, password: first },
      headers: ownPage,
    });
    const again = { ...ownPage, Cookie: cookieOf(signedIn), ...key };
    const wrong = await change(password, first, { headers: again });
    expect(wrong).toMatchObject({ status: 401, body: { error: { code: "invalid_password" } } });
    const changed = await change(first, second, { headers: { ...again, "Idempotency-Key": "change-2" } });
    expect(changed).toMatchObject({ status: 200, body: { access_token: "", refresh_token: "" } });
    const replayed = await change(first, second, {
      headers: { ...ownPage, Cookie: cookieOf(changed), "Idempotency-Key": "change-2" },
    });
    expect(replayed).toMatchObject({ status: 200, body: { access_token: "", refresh_token: "" } });
    expect(replayed.headers.get("idempotent-replayed")).toBe("true");
  });
});

describe("the cookie counts only from a page of the server", () => {
  const refused = { status: 401, body: { error: { code: "invalid_api_key" } } };

  test.each([
    ["another site", { "Sec-Fetch-Site": "cross-site" }],
    ["another port or subdomain", { "Sec-Fetch-Site": "same-site" }],
    ["the address bar", { "Sec-Fetch-Site": "none" }],
    ["two places", { "Sec-Fetch-Site": "same-origin, cross-site" }],
    ["another origin, in an old browser", { "Sec-Fetch-Site": "", Origin: "https://evil.example" }],
    ["an opaque origin", { "Sec-Fetch-Site": "", Origin: "null" }],
    ["nowhere", { "Sec-Fetch-Site": "" }],
  ])("not from %s", async (_, from) => {
    const { account, cookie } = await signInByCookie();
    const headers = withoutEmpty({ ...ownPage, ...from, Cookie: cookie });
    expect(await me(server, headers)).toMatchObject(refused);
    expect(await server.rest("POST", "/auth/refresh", { body: {}, headers })).toMatchObject(refused);
    const signIn = await server.rest("POST", "/auth/sign-in", { body: { email: account.email, password }, headers });
    expect(signIn).toMatchObject(refused);
    expect(signIn.headers.has("set-cookie")).toBe(false);
    expect((await me(server, { ...ownPage, Cookie: cookie })).status).toBe(200);
  });

  test("from the server's own origin, in a browser that does not send Sec-Fetch-Site", async () => {
    const { cookie } = await signInByCookie();
    const headers = { "Byond-Session": "cookie", Origin: new URL(server.url).origin, Cookie: cookie };
    expect((await me(server, headers)).status).toBe(200);
  });

  test("by GET from a page of the server, where the browser sends neither but Referer", async () => {
    const { cookie } = await signInByCookie();
    const statusFrom = async (from: Readonly<Record<string, string>>) =>
      (await me(server, { "Byond-Session": "cookie", Cookie: cookie, ...from })).status;
    const { origin } = new URL(server.url);
    expect(await statusFrom({ Referer: `${origin}/console/events` })).toBe(200);
    for (const page of [
      "",
      "https://evil.example/",
      `https://evil.example/?${origin}/`,
      `${origin}.evil.example/`,
      "null",
      "about:client",
    ]) {
      expect([page, await statusFrom({ Referer: page })]).toEqual([page, 401]);
    }
    expect(await statusFrom({ Referer: `${origin}/`, Origin: "null" })).toBe(401);
    expect(await statusFrom({ Referer: `${origin}/`, "Sec-Fetch-Site": "same-site" })).toBe(401);
  });

  test("not without the header, which a form cannot send", async () => {
    const { cookie } = await signInByCookie();
    const answer = await me(server, { Cookie: cookie, "Sec-Fetch-Site": "same-origin" });
    expect(answer).toMatchObject(refused);
    expect(answer.body.error.message).toContain("No API key and no access token was sent");
    const form = await fetch(`${server.url}/api/v1/auth/logout-all`, {
      method: "POST",
      headers: {
        Cookie: cookie,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/x-www-form-urlencoded",
      },
      body: "",
    });
    expect(form.status).toBe(401);
    expect((await me(server, { ...ownPage, Cookie: cookie })).status).toBe(200);
  });

  test("not with another value of the header", async () => {
    const { cookie } = await signInByCookie();
    expect(await me(server, { ...ownPage, "Byond-Session": "yes", Cookie: cookie })).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_request" } },
    });
  });

  test("not at a name that somebody points at the server (DNS rebinding)", async () => {
    const { cookie } = await signInByCookie();
    const { port } = new URL(server.url);
    for (const host of ["evil.example", `rebound.example:${port}`, "localhost.evil.example", "127.0.0.1.nip.io"]) {
      const answer = await statusAt(server.url, { ...ownPage, Cookie: cookie, Host: host });
      expect([host, answer]).toEqual([host, 401]);
    }
    for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      expect([host, await statusAt(server.url, { ...ownPage, Cookie: cookie, Host: host })]).toEqual([host, 200]);
    }
  });

  test("not beside another credential", async () => {
    const { account, headers } = await signInByCookie();
    const both = await server.rest("GET", "/auth/me", { session: account.session, headers });
    expect(both).toMatchObject(refused);
    expect(both.body.error.message).toContain("two different ones");
    expect(await server.rest("GET", "/auth/me", { key: await server.mintKey(), headers })).toMatchObject(refused);
  });

  test("not where only keys are taken", async () => {
    const { headers } = await signInByCookie();
    const start = await server.rest("POST", "/verify/start", {
      body: { channel: "email", recipient: "ada@example.com" },
      headers,
    });
    expect(start).toMatchObject(refused);
    expect(start.body.error.message).toBe("This endpoint takes an API key, not an access token.");
    expect(await server.rest("GET", "/lookup?number=%2B6591234567", { headers })).toMatchObject(refused);
  });

  test("not without a session in it, nor with two", async () => {
    const { cookie } = await signInByCookie();
    const name = cookie.split("=")[0];
    for (const other of ["", `${name}=`, `${name}=a`, `${name}=a~b~c`, `x${cookie}`, `${cookie}; ${name}=a~b`]) {
      expect([other, (await me(server, { ...ownPage, Cookie: other })).status]).toEqual([other, 401]);
    }
    expect((await me(server, { ...ownPage, Cookie: `a=b; ${cookie}; c` })).status).toBe(200);
    expect(await server.rest("POST", "/auth/refresh", { body: {}, headers: ownPage })).toMatchObject(refused);
  });
});

test("a call without the header still has to name its refresh token", async () => {
  const { cookie } = await signInByCookie();
  for (const path of ["/auth/refresh", "/auth/sign-out"]) {
    expect(await server.rest("POST", path, { body: {}, headers: { Cookie: cookie } })).toMatchObject({
      status: 422,
      body: { error: { code: "validation_error", fields: { refresh_token: "is required" } } },
    });
  }
});

describe("with CORS_ORIGINS=*", () => {
  const open = useTestApp({ corsOrigins: "any" });

  test("another origin may neither send the header nor credentials", async () => {
    const preflight = await fetch(`${open.url}/api/v1/auth/me`, {
      method: "OPTIONS",
      headers: {
        Origin: "https://app.example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "byond-session",
      },
    });
    expect(preflight.headers.get("access-control-allow-headers")?.toLowerCase()).not.toContain("byond-session");
    expect(preflight.headers.has("access-control-allow-credentials")).toBe(false);
    const answer = await me(open, { Origin: "https://app.example.com" });
    expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
  });
});

describe("a session in a cookie ends at once on every server", () => {
  async function onTwoServers(end: (headers: Readonly<Record<string, string>>) => Promise<RestAnswer>) {
    await using other = await server.startAnother();
    const { headers } = await signInByCookie();
    // The cookie's name holds the port.
    const { port } = new URL(other.url);
    const elsewhere = { ...headers, Cookie: headers.Cookie.replace(/^byond_session_\d+/, `byond_session_${port}`) };
    expect((await me(other, elsewhere)).status).toBe(200);
    const ended = await end(headers);
    expect(ended.status).toBe(200);
    expect((await me(other, elsewhere)).status).toBe(401);
    expect((await me(server, headers)).status).toBe(401);
    const refresh = await other.rest("POST", "/auth/refresh", { body: {}, headers: elsewhere });
    expect(refresh.status).toBe(401);
    return ended;
  }
  const isForgotten = /^byond_session_\d+=; Max-Age=0; HttpOnly; SameSite=Strict; Path=\/$/;

  test("by sign-out, which can be repeated without a cookie", async () => {
    const ended = await onTwoServers((headers) => server.rest("POST", "/auth/sign-out", { body: {}, headers }));
    expect(ended.headers.get("set-cookie")).toMatch(isForgotten);
    const again = await server.rest("POST", "/auth/sign-out", { body: {}, headers: ownPage });
    expect(again.status).toBe(200);
  });

  test("by sign-out, and with it the streams that the page reads", async () => {
    await using other = await server.startAnother();
    const { headers } = await signInByCookie();
    const { port } = new URL(other.url);
    const Cookie = headers.Cookie.replace(/^byond_session_\d+/, `byond_session_${port}`);
    const stream = await fetch(`${other.url}/api/v1/events/stream?after=start`, { headers: { ...headers, Cookie } });
    expect(stream.status).toBe(200);
    const ended = stream.text();
    expect((await server.rest("POST", "/auth/sign-out", { body: {}, headers })).status).toBe(200);
    expect(await ended).toContain("invalid_api_key");
  });

  test("by logout-all", async () => {
    const ended = await onTwoServers((headers) => server.rest("POST", "/auth/logout-all", { headers }));
    expect(ended.headers.get("set-cookie")).toMatch(isForgotten);
  });

  test("by a changed password, which begins another one", async () => {
    const body = { current_password: password, new_password: "another battery staple" };
    const ended = await onTwoServers((headers) => server.rest("POST", "/auth/change-password", { body, headers }));
    expect(ended.body).toMatchObject({ access_token: "", refresh_token: "" });
    expect((await me(server, { ...ownPage, Cookie: cookieOf(ended) })).status).toBe(200);
  });

  test("by deleting the account", async () => {
    const ended = await onTwoServers((headers) =>
      server.rest("POST", "/auth/delete-account", { body: { password }, headers }),
    );
    expect(ended.headers.get("set-cookie")).toMatch(isForgotten);
  });
});

/** Signs up at a server as a browser does that knows it by this host, and returns the cookie. */
async function signUpAt(url: string, ca: Buffer | undefined, headers: Readonly<Record<string, string>>) {
  const body = JSON.stringify({
    email: `at-${headers.Host}@example.com`.replace(/[:[\]]/g, "-"),
    password,
    name: "Acme",
  });
  const answer = await send(`${url}/api/v1/auth/sign-up`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body,
    ca,
  });
  return { status: answer.statusCode, cookie: answer.headers["set-cookie"]?.[0] ?? "" };
}

const isHostCookie = /^__Host-byond_session=[^;]+; Max-Age=\d+; HttpOnly; SameSite=Strict; Path=\/; Secure$/;

describe("over TLS the cookie is Secure, and its name is bound to the host", () => {
  test("at a server of its own certificate", async () => {
    await using folder = await makeTlsFolder();
    await using secure = await startTestApp({ tls: folder.tls });
    const { host } = new URL(secure.url);
    const atHost = { ...ownPage, Host: host };
    const { cookie } = await signUpAt(secure.url, folder.cert, atHost);
    expect(cookie).toMatch(isHostCookie);
    const headers = { ...atHost, Cookie: cookie.split(";")[0] ?? "" };
    expect(await statusAt(secure.url, headers, folder.cert)).toBe(200);
  });

  test("at the host of PUBLIC_URL alone, whatever is between", async () => {
    const port = await freePort();
    await using _ = await startTestApp({ port, publicUrl: "https://byond.example.com" });
    const url = `http://127.0.0.1:${port}`;
    const atHost = { ...ownPage, Host: "byond.example.com" };
    const { cookie } = await signUpAt(url, undefined, atHost);
    expect(cookie).toMatch(isHostCookie);
    const headers = { ...atHost, Cookie: cookie.split(";")[0] ?? "" };
    expect(await statusAt(url, headers)).toBe(200);
    const byOrigin = { "Byond-Session": "cookie", Host: "byond.example.com:443", Cookie: headers.Cookie };
    expect(await statusAt(url, { ...byOrigin, Origin: "https://byond.example.com" })).toBe(200);
    expect(await statusAt(url, { ...byOrigin, Origin: "http://byond.example.com" })).toBe(401);
    for (const Host of ["127.0.0.1", "localhost", "evil.example", "byond.example.com.evil.example"]) {
      expect([Host, await statusAt(url, { ...headers, Host })]).toEqual([Host, 401]);
    }
  });

  test("behind a trusted proxy that speaks TLS, and not if no proxy is trusted", async () => {
    await using proxied = await startTestApp({ proxyTrust: loopbackProxy });
    const proto = { "X-Forwarded-Proto": "https" };
    const { host } = new URL(proxied.url);
    const { cookie } = await signUpAt(proxied.url, undefined, { ...ownPage, ...proto, Host: host });
    expect(cookie).toMatch(isHostCookie);
    const headers = { ...ownPage, ...proto, Host: host, Cookie: cookie.split(";")[0] ?? "" };
    expect(await statusAt(proxied.url, headers)).toBe(200);
    expect((await signUpAt(server.url, undefined, { ...ownPage, ...proto, Host: "127.0.0.1:1" })).cookie).toMatch(
      /^byond_session_1=/,
    );
  });
});

interface Sent {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ca?: Buffer | undefined;
}

/** `fetch` sets `Host` itself. */
async function send(url: string, { method = "GET", headers, body, ca }: Sent): Promise<IncomingMessage> {
  const request = url.startsWith("https:")
    ? httpsRequest(url, { method, headers, ca, agent: false })
    : httpRequest(url, { method, headers, agent: false });
  request.end(body);
  const [answer]: IncomingMessage[] = await once(request, "response");
  if (answer === undefined) {
    throw new TypeError("there is an answer");
  }
  answer.resume();
  return answer;
}

const statusAt = async (url: string, headers: Readonly<Record<string, string>>, ca?: Buffer) =>
  (await send(`${url}/api/v1/auth/me`, { headers, ca })).statusCode;

const withoutEmpty = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
