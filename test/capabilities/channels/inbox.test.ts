/** `/dev/inbox`: an API key reads its workspace's messages of its mode, a session those of the mode that it names, the link of the start reads all of them. */
import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import pg from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import type { InboxMessage } from "../../../src/capabilities/channels/inbox/inbox.ts";
import { InboxLink } from "../../../src/capabilities/channels/inbox/inbox-link.ts";
import { LocalState } from "../../../src/workers/shared-state.ts";
import { startTestApp, type TestApp, useTestApp } from "../../support/app.ts";

let session: string;
let live: string;
let sandbox: string;

async function mint(owner: string, fields: object): Promise<{ readonly id: string; readonly key: string }> {
  const { status, body } = await app.rest("POST", "/api-keys", { session: owner, body: { name: "inbox", ...fields } });
  expect(status).toBe(201);
  return { id: body.id, key: body.key };
}

const app = useTestApp();
beforeAll(async () => {
  ({ session } = await app.signUp());
  live = (await mint(session, {})).key;
  sandbox = (await mint(session, { mode: "test" })).key;
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A request with headers that `fetch` would not send, such as `Host` and `Sec-Fetch-Site`. */
function get(headers: Readonly<Record<string, string>> = {}, method = "GET", path = "/dev/inbox"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(`${app.url}${path}`, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    call.on("error", reject);
    call.end();
  });
}

const withKey = (key: string) => ({ "X-API-Key": key });
const errorOf = ({ status, text }: Pick<Answer, "status" | "text">) => ({ status, code: JSON.parse(text).error.code });

async function send(key: string, recipient: string): Promise<void> {
  const body = { channel: "email", recipient };
  expect((await app.rest("POST", "/verify/start", { key, body })).status).toBe(201);
  await app.messageTo(recipient);
}

async function recipientsFor(key: string): Promise<string[]> {
  const { status, text } = await get(withKey(key));
  expect(status).toBe(200);
  const messages: readonly InboxMessage[] = JSON.parse(text);
  return messages.map(({ recipient }) => recipient);
}

describe("a key", () => {
  test("shows the messages of its workspace and mode, newest first, and no other's", async () => {
    const { session: other } = await app.signUp("Umbrella");
    const keys = {
      live: (await mint(other, {})).key,
      sandbox: (await mint(other, { mode: "test" })).key,
    };
    await send(live, "live-1@example.com");
    await send(sandbox, "sandbox@example.com");
    await send(keys.live, "other-live@example.com");
    await send(keys.sandbox, "other-sandbox@example.com");
    await send(live, "live-2@example.com");
    expect(await recipientsFor(live)).toEqual(["live-2@example.com", "live-1@example.com"]);
    expect(await recipientsFor(sandbox)).toEqual(["sandbox@example.com"]);
    expect(await recipientsFor(keys.live)).toEqual(["other-live@example.com"]);
    expect(await recipientsFor(keys.sandbox)).toEqual(["other-sandbox@example.com"]);
  });

  test("does not show the server's own messages, not even to the owner of the address; the link does", async () => {
    const owner = await app.signUp("Own");
    const { key } = await mint(owner.session, {});
    expect((await app.rest("POST", "/auth/verify-email", { session: owner.session })).status).toBe(201);
    await app.messageTo(owner.email);
    expect(await recipientsFor(key)).toEqual([]);
  });

  test("may travel as a bearer token", async () => {
    expect((await get({ Authorization: `Bearer ${sandbox}` })).status).toBe(200);
  });

  test("shows for each message exactly what is documented", async () => {
    const { key } = await mint((await app.signUp("Fields")).session, { mode: "test" });
    await send(key, "fields@example.com");
    await app.rest("POST", "/verify/start", { key, body: { channel: "whatsapp", recipient: "+6591234567" } });
    await app.messageTo("+6591234567");
    const [short, mail]: InboxMessage[] = JSON.parse((await get(withKey(key))).text);
    const fields = ["channel", "code", "created_at", "html", "id", "recipient", "subject", "text"];
    expect(Object.keys(mail ?? {}).sort()).toEqual(fields);
    expect(Object.keys(short ?? {}).sort()).toEqual(fields);
    expect(mail).toMatchObject({ channel: "email", recipient: "fields@example.com", code: "000000" });
    expect(mail?.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(mail?.html).toContain("000000");
    expect(short).toMatchObject({ channel: "whatsapp", code: "000000", subject: null, html: null });
    expect(short?.text).toContain("000000");
  });

  test("sends headers that keep messages out of caches, other pages, frames and Referer", async () => {
    const { headers } = await get({ ...withKey(sandbox), Origin: "https://evil.example" });
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["referrer-policy"]).toBe("no-referrer");
  });

  test("that was revoked is refused at once", async () => {
    const { id, key } = await mint(session, {});
    expect((await get(withKey(key))).status).toBe(200);
    expect((await app.rest("DELETE", `/api-keys/${id}`, { session })).status).toBe(200);
    expect(errorOf(await get(withKey(key)))).toEqual({ status: 401, code: "invalid_api_key" });
  });

  test("revoked while its request waits for the quota is refused", async () => {
    const { id, key } = await mint(session, { requests_per_minute: 100 });
    expect((await get(withKey(key))).status).toBe(200);
    const other = new pg.Client({ connectionString: app.databaseUrl });
    await other.connect();
    await other.query("BEGIN");
    await other.query("LOCK TABLE quota IN ACCESS EXCLUSIVE MODE");
    // The server has taken a batch of requests ahead: sooner or later one of these waits for another.
    const answers = Array.from({ length: 50 }, () => get(withKey(key)));
    await expect
      .poll(async () => {
        const { rowCount } = await other.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return rowCount;
      })
      .toBeGreaterThan(0);
    expect((await app.rest("DELETE", `/api-keys/${id}`, { session })).status).toBe(200);
    await other.query("ROLLBACK");
    await other.end();
    const late = (await Promise.all(answers)).filter(({ status }) => status !== 200);
    expect(late).not.toEqual([]);
    expect(late.map(errorOf)).toEqual(late.map(() => ({ status: 401, code: "invalid_api_key" })));
  });

  test("needs the scope verify", async () => {
    for (const scopes of [["lookup"], ["reports"], ["lookup", "reports"]]) {
      const answer = await get(withKey((await mint(session, { scopes })).key));
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text).error).toMatchObject({ code: "insufficient_scope", required_scope: "verify" });
    }
    for (const scopes of [["verify"], ["*"]]) {
      expect((await get(withKey((await mint(session, { scopes })).key))).status).toBe(200);
    }
  });

  test("is refused from an address outside its allowlist", async () => {
    const elsewhere = await mint(session, { ip_allowlist: ["203.0.113.0/24"] });
    expect(errorOf(await get(withKey(elsewhere.key)))).toEqual({ status: 403, code: "ip_not_allowed" });
    const here = await mint(session, { ip_allowlist: ["127.0.0.1"] });
    expect((await get(withKey(here.key))).status).toBe(200);
  });

  test("that requires signatures requires them here too", async () => {
    const { key } = await mint(session, { require_signature: true });
    expect(errorOf(await get(withKey(key)))).toEqual({ status: 401, code: "signature_invalid" });
    const time = app.time.now().getTime();
    const signature = createHmac("sha256", key).update(`${time}.`).digest("hex");
    const signed = { ...withKey(key), "Byond-Signature": `t=${time},v1=${signature}` };
    expect((await get(signed)).status).toBe(200);
  });

  test("has its requests counted", async () => {
    const { key } = await mint(session, { requests_per_minute: 2 });
    const answers = [await get(withKey(key)), await get(withKey(key)), await get(withKey(key))];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[0]?.headers["x-ratelimit-limit"]).toBe("2");
    expect(answers[2]?.headers["retry-after"]).toMatch(/^\d+$/);
  });
});

describe("in a browser", () => {
  const accept = { Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
  const isPage = ({ headers }: Answer) => {
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["referrer-policy"]).toBe("no-referrer");
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/https?:|\*|unsafe/);
  };

  test("it is a page: newest message first, with its code, and every text escaped", async () => {
    const { key } = await mint((await app.signUp("Page")).session, { mode: "test" });
    await send(key, "older@example.com");
    const brand = "<b>&Acme</b>";
    const body = { channel: "whatsapp", recipient: "+6591234568", brand };
    expect((await app.rest("POST", "/verify/start", { key, body })).status).toBe(201);
    await app.messageTo("+6591234568");
    const answer = await get({ ...withKey(key), ...accept });
    expect(answer.status).toBe(200);
    isPage(answer);
    expect(answer.text.indexOf("+6591234568")).toBeGreaterThan(-1);
    expect(answer.text.indexOf("+6591234568")).toBeLessThan(answer.text.indexOf("older@example.com"));
    expect(answer.text.match(/<p class="message-code">000000<\/p>/g)).toHaveLength(2);
    expect(answer.text).toContain("&lt;b&gt;&amp;Acme&lt;/b&gt;");
    expect(answer.text).not.toContain("<b>&");
  });

  test("an inbox without messages, and a refusal, are pages too; programs get JSON at the same address", async () => {
    const { key } = await mint((await app.signUp("Empty")).session, { mode: "test" });
    const empty = await get({ ...withKey(key), ...accept });
    expect(empty.status).toBe(200);
    isPage(empty);
    const refused = await get(accept);
    expect(refused.status).toBe(401);
    isPage(refused);
    expect(refused.text).toContain('docs/errors#invalid_api_key"');
    expect(refused.headers["www-authenticate"]).toBe('Bearer realm="Byond"');
    for (const headers of [{}, { Accept: "*/*" }, { Accept: "application/json" }]) {
      const json = await get({ ...withKey(key), ...headers });
      expect([json.headers["content-type"], json.headers.vary, json.text]).toEqual([
        "application/json",
        "Accept",
        "[]\n",
      ]);
    }
    expect(empty.headers.vary).toBe("Accept");
  });

  test("the link opens the page; a page of another host name that resolves here (DNS rebinding) gets nothing", async () => {
    await using server = await startTestApp();
    const url = server.app.inboxLink ?? "";
    const rebound = await get({ ...accept, Host: "evil.example", Origin: "http://evil.example" });
    expect(rebound.status).toBe(401);
    const opened = await fetch(url, { headers: accept });
    expect([opened.status, opened.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await opened.text()).not.toContain(new URL(url).searchParams.get("token"));
  });
});

describe("without a key", () => {
  test.each([
    ["loopback", {}],
    ["loopback by name", { Host: "localhost" }],
    ["a page of another host that was rebound to loopback", { Host: "evil.example" }],
    ["a proxy", { "X-Forwarded-For": "127.0.0.1" }],
    ["a made-up key", { "X-API-Key": "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j" }],
    ["an empty key", { "X-API-Key": "" }],
    ["another scheme", { Authorization: "Basic YTpi" }],
    ["a made-up cookie", { Cookie: "byond_inbox=; byond_inbox=undefined" }],
  ])("it is refused in the house's form: %s", async (_who, headers) => {
    const answer = await get(headers);
    expect(errorOf(answer)).toEqual({ status: 401, code: "invalid_api_key" });
    expect(JSON.parse(answer.text).error.request_id).toBe(answer.headers["x-request-id"]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("and two different keys are one too many", async () => {
    const answer = await get({ "X-API-Key": live, Authorization: `Bearer ${sandbox}` });
    expect(errorOf(answer)).toEqual({ status: 401, code: "invalid_api_key" });
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is not allowed", async (method) => {
    const answer = await get(withKey(live), method);
    expect(errorOf(answer)).toEqual({ status: 405, code: "method_not_allowed" });
    expect(answer.headers.allow).toBe("GET, HEAD");
  });

  test("HEAD has the headers only", async () => {
    expect(await get(withKey(live), "HEAD")).toMatchObject({ status: 200, text: "" });
  });
});

test("a session reads its workspace's messages of the mode that it names, by token or from a page of the server", async () => {
  await send(live, "session-live@example.com");
  await send(sandbox, "session-sandbox@example.com");
  const read = async (headers: Readonly<Record<string, string>>) => {
    const { status, text } = await get(headers);
    return status === 200
      ? JSON.parse(text).map(({ recipient }: InboxMessage) => recipient)
      : errorOf({ status, text });
  };
  const account = await app.signUp();
  const page = { "Byond-Session": "cookie", "Sec-Fetch-Site": "same-origin" };
  const signIn = await app.rest("POST", "/auth/refresh", {
    body: { refresh_token: account.refreshToken },
    headers: page,
  });
  const byCookie = { ...page, Cookie: signIn.headers.get("set-cookie")?.split(";")[0] ?? "" };
  expect(await read(byCookie)).toEqual([]);
  const refused = { status: 401, code: "invalid_api_key" };
  expect(await read({ ...byCookie, "Sec-Fetch-Site": "cross-site" })).toEqual(refused);
  expect(await read({ Cookie: byCookie.Cookie, "Sec-Fetch-Site": "same-origin" })).toEqual(refused);
  const byToken = { Authorization: `Bearer ${session}` };
  expect(await read(byToken)).toContain("session-live@example.com");
  expect(await read(byToken)).not.toContain("session-sandbox@example.com");
  expect((await read({ ...byToken, "Byond-Mode": "test" }))[0]).toBe("session-sandbox@example.com");
});

test("there is none where several servers share a database, with or without a key", async () => {
  await using server = await startTestApp({ isPublic: true, inbox: "none" });
  const key = await server.mintKey();
  for (const headers of [{}, withKey(key)]) {
    expect((await fetch(`${server.url}/dev/inbox`, { headers })).status).toBe(404);
  }
  expect(server.app.inboxLink).toBeUndefined();
});

test("a public server has no link, and its key shows the sandbox's messages only", async () => {
  await using server = await startTestApp({ isPublic: true, inbox: "sandbox" });
  const owner = await server.signUp();
  const keyOf = async (mode: string) => {
    const { body } = await server.rest("POST", "/api-keys", { session: owner.session, body: { name: mode, mode } });
    return String(body.key);
  };
  const start = async (key: string) => {
    const body = { channel: "email", recipient: "ada@example.com" };
    return (await server.rest("POST", "/verify/start", { key, body })).body.status;
  };
  const read = async (key: string) =>
    JSON.parse(await (await fetch(`${server.url}/dev/inbox`, { headers: withKey(key) })).text());
  const [ofLive, ofSandbox] = [await keyOf("live"), await keyOf("test")];
  expect([await start(ofLive), await start(ofSandbox)]).toEqual(["channel_unavailable", "pending"]);
  await expect.poll(() => read(ofSandbox)).toMatchObject([{ recipient: "ada@example.com" }]);
  expect(await read(ofLive)).toEqual([]);
  expect(server.app.inboxLink).toBeUndefined();
});

describe("the link", () => {
  const tokenOf = (server: TestApp) => new URL(server.app.inboxLink ?? "");

  test("works once, even in parallel requests, and sets a cookie", async () => {
    await using server = await startTestApp();
    const key = await server.mintKey();
    await server.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "link@example.com" } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(tokenOf(server))));
    const opened = answers.filter(({ status }) => status === 200);
    expect(opened).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
    const cookies = answers.map(({ headers }) => headers.get("set-cookie")).filter((cookie) => cookie !== null);
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(/^byond_inbox_\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/dev\/inbox$/);

    const withCookie = { Cookie: `theme=dark; ${cookies[0]?.split(";")[0]}` };
    const read = (headers: Record<string, string>) => fetch(`${server.url}/dev/inbox`, { headers });
    await expect.poll(async () => (await read(withCookie)).json()).toMatchObject([{ recipient: "link@example.com" }]);
    // Reloading the page that the link opened.
    expect((await fetch(tokenOf(server), { headers: withCookie })).status).toBe(200);
  });

  test("is not used up by HEAD, nor by a request with a key", async () => {
    await using server = await startTestApp();
    const link = tokenOf(server);
    expect((await fetch(link, { method: "HEAD" })).status).toBe(401);
    expect((await fetch(link, { method: "POST" })).status).toBe(405);
    expect((await fetch(link, { headers: { "X-API-Key": "pk_live_made.up" } })).status).toBe(401);
    expect((await fetch(`${server.url}/dev/inbox?token=`)).status).toBe(401);
    expect((await fetch(`${link}x`)).status).toBe(401);
    expect((await fetch(link)).status).toBe(200);
  });

  test.each(["cross-site", "same-site"])(
    "leaves a cookie that a page of another server on this machine cannot use: %s",
    async (site) => {
      await using server = await startTestApp();
      const [cookie = ""] = ((await fetch(tokenOf(server))).headers.get("set-cookie") ?? "").split(";");
      const read = (headers: Record<string, string>) =>
        new Promise<number | undefined>((resolve, reject) => {
          httpRequest(
            `${server.url}/dev/inbox`,
            { headers: { Cookie: cookie, ...headers }, agent: false },
            (response) => {
              response.resume();
              resolve(response.statusCode);
            },
          )
            .on("error", reject)
            .end();
        });
      expect(await read({ "Sec-Fetch-Site": site })).toBe(401);
      expect(await read({ "Sec-Fetch-Site": "none" })).toBe(200);
      expect(await read({ "Sec-Fetch-Site": "same-origin" })).toBe(200);
      expect(await read({})).toBe(200);
    },
  );

  test("sets a cookie named by port, since browsers send the cookies of all ports", async () => {
    await using one = await startTestApp();
    await using other = await startTestApp();
    const jar = new Map<string, string>();
    for (const server of [one, other]) {
      const [cookie = ""] = ((await fetch(tokenOf(server))).headers.get("set-cookie") ?? "").split(";");
      jar.set(cookie.slice(0, cookie.indexOf("=")), cookie);
    }
    for (const server of [one, other]) {
      const headers = { Cookie: [...jar.values()].join("; ") };
      expect((await fetch(`${server.url}/dev/inbox`, { headers })).status).toBe(200);
    }
  });

  test("without it, the page links to the inbox for a browser with the cookie, and names the other ways to read it", async () => {
    await using server = await startTestApp();
    await fetch(tokenOf(server));
    for (const address of [`${server.url}/dev/inbox`, tokenOf(server)]) {
      const page = await (await fetch(address, { headers: { Accept: "text/html" } })).text();
      expect(page).toContain('href="inbox"');
      expect(page).toContain("start the server again");
      expect(page).toContain("curl");
    }
  });

  test("sets the cookie for the public URL: its path, and over https only", async () => {
    const link = await InboxLink.create(new URL("https://localhost/byond/dev/inbox"), new LocalState());
    const url = `http://127.0.0.1:8080/dev/inbox${link.query}`;
    const outcome = await link.admit({ method: "GET", url, header: new Headers() });
    expect(typeof outcome === "object" && outcome.setCookie).toMatch(
      /^byond_inbox_8080=.*; Path=\/byond\/dev\/inbox; Secure$/,
    );
  });
});
