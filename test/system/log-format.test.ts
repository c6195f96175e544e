/** The log of a whole run: one JSON line a request, and never a secret, a code, a query string or a full recipient. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MainProcess, makeFolder } from "./main-process.ts";

/** What must not be found, by what it is. */
const secrets = new Map<string, string>();
const keep = (what: string, value: unknown): string => {
  const text = String(value);
  secrets.set(what, text);
  return text;
};

interface Line {
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

let folder: Awaited<ReturnType<typeof makeFolder>>;
let lines: Line[];
let written: string;
let postgresLog: string;
/** Requests that were sent, as the log should tell them: `method route status key?`. */
const sent: string[] = [];
let livePrefix: string;

beforeAll(async () => {
  folder = await makeFolder();
  const server = new MainProcess({
    environment: {
      PORT: "0",
      DATA_DIR: folder.path,
      BYOND_SECRET: keep("the master secret", "a master secret that is thirty-two bytes"),
      METRICS_TOKEN: keep("the token of the metrics", "metrics-token-0123456789"),
      // WhatsApp fails to be sent: nothing listens there.
      WHATSAPP_API_URL: "http://127.0.0.1:9",
      WHATSAPP_PHONE_NUMBER_ID: "1234567890",
      WHATSAPP_TOKEN: keep("WhatsApp's token", "EAAwhatsapptokenoftests"),
      WHATSAPP_TEMPLATE: "code",
    },
  });
  try {
    const [, token = ""] = await server.wrote(/dev\/inbox\?token=(\S+)\n/);
    await use(await server.url(), keep("the token of the inbox", token));
    await server.stop();
  } finally {
    await server[Symbol.asyncDispose]();
  }
  written = server.log;
  lines = written
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const files = await readdir(folder.path, { recursive: true });
  const logs = files.filter((file) => file.endsWith(".log"));
  expect(logs).not.toEqual([]);
  postgresLog = (await Promise.all(logs.map((file) => readFile(join(folder.path, file), "utf8")))).join("\n");
}, 120_000);
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

/** A run with everything in it that a log could give away. */
async function use(url: string, inboxToken: string): Promise<void> {
  async function call(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: unknown,
    logged: { readonly route: string; readonly status: number; readonly withKey?: boolean },
  ) {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    expect([path, response.status, text.slice(0, 300)]).toEqual([path, logged.status, text.slice(0, 300)]);
    const route = logged.route.replace(`${method} /`, "/");
    sent.push(`${method} ${route} ${logged.status}${logged.withKey === true ? " with key" : ""}`);
    return text === "" ? undefined : JSON.parse(text);
  }
  const api = (path: string) => `POST /api/v1${path}`;

  // Accounts, right and wrong passwords.
  const email = keep("the address of the account", "log-owner@example.com");
  const password = keep("the password", "correct horse battery");
  const account = await call(
    "POST",
    "/api/v1/auth/sign-up",
    {},
    { email, password, name: "Acme" },
    {
      route: api("/auth/sign-up"),
      status: 201,
    },
  );
  keep("the session of the sign-up", account.access_token);
  const session = await call(
    "POST",
    "/api/v1/auth/sign-in",
    {},
    { email, password },
    {
      route: api("/auth/sign-in"),
      status: 200,
    },
  );
  for (const [name, value] of Object.entries(session)) {
    if (name.endsWith("_token")) keep(`the ${name} of the sign-in`, value);
  }
  const wrong = { email, password: keep("the wrong password", "wrong horse battery") };
  await call("POST", "/api/v1/auth/sign-in", {}, wrong, { route: api("/auth/sign-in"), status: 401 });
  const forged = { Authorization: `Bearer ${keep("a forged session", "eyJhbGciOiJIUzI1NiJ9.e30.Zm9yZ2Vk")}` };
  await call("GET", "/api/v1/api-keys", forged, undefined, { route: "GET /api/v1/api-keys", status: 401 });

  // The proof of the address: a provider is configured, so that its live keys wait for it.
  const bearer = { Authorization: `Bearer ${session.access_token}` };
  await call("POST", "/api/v1/auth/verify-email", bearer, undefined, { route: api("/auth/verify-email"), status: 201 });
  const opened = await fetch(`${url}/dev/inbox?token=${inboxToken}`);
  sent.push("GET /dev/inbox 200");
  const inboxCookie = { Cookie: keep("the cookie of the inbox", opened.headers.get("set-cookie")?.split(";")[0]) };
  let proof: string | undefined;
  while (proof === undefined) {
    const mails: { text: string }[] = JSON.parse(
      await (await fetch(`${url}/dev/inbox`, { headers: inboxCookie })).text(),
    );
    sent.push("GET /dev/inbox 200");
    proof = /(?<!\d)\d{8}(?!\d)/.exec(mails.map(({ text }) => text).join("\n"))?.[0];
  }
  keep("the code of the address", proof);
  await call(
    "POST",
    "/api/v1/auth/verify-email/check",
    bearer,
    { code: proof },
    { route: api("/auth/verify-email/check"), status: 200 },
  );

  // Keys.
  const created = await call(
    "POST",
    "/api/v1/api-keys",
    bearer,
    { name: "log" },
    { route: api("/api-keys"), status: 201 },
  );
  livePrefix = created.key_prefix;
  keep("the key", created.key);
  keep("the key's secret", created.key.split(".")[1]);
  const withKey = { "X-API-Key": created.key };
  const madeUp = { "X-API-Key": keep("a made-up key", "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j") };
  await call("GET", "/api/v1/lookup?number=1", madeUp, undefined, { route: "GET /api/v1/lookup", status: 401 });

  // Codes, to both kinds of recipients; a provider that is not there; a code that is wrong and one that is right.
  const recipient = keep("the recipient", "log-recipient@example.com");
  const start = { channel: "email", recipient, code_length: 10 };
  const started = await call("POST", "/api/v1/verify/start", withKey, start, {
    route: api("/verify/start"),
    status: 201,
    withKey: true,
  });
  const phone = keep("the phone number", "+6591234567");
  keep("the phone number without its plus", "6591234567");
  await call(
    "POST",
    "/api/v1/verify/start",
    withKey,
    { channel: "whatsapp", recipient: phone },
    {
      route: api("/verify/start"),
      status: 201,
      withKey: true,
    },
  );
  let code: string | undefined;
  while (code === undefined) {
    const inbox: { text: string }[] = JSON.parse(await (await fetch(`${url}/dev/inbox`, { headers: withKey })).text());
    sent.push("GET /dev/inbox 200 with key");
    code = /(?<!\d)\d{10}(?!\d)/.exec(inbox.map(({ text }) => text).join("\n"))?.[0];
  }
  keep("the code", code);
  const check = (submitted: string) =>
    call(
      "POST",
      "/api/v1/verify/check",
      withKey,
      { verification_id: started.verification_id, code: submitted },
      {
        route: api("/verify/check"),
        status: 200,
        withKey: true,
      },
    );
  expect((await check(keep("a wrong code", "wrong-code-9182736455"))).status).toBe("incorrect");
  expect((await check(code)).status).toBe("approved");

  // Query strings, and bodies that are refused.
  const lookup = "GET /api/v1/lookup";
  await call(
    "GET",
    `/api/v1/lookup?number=%2B${keep("a number that was looked up", "442079460958")}`,
    withKey,
    undefined,
    {
      route: lookup,
      status: 200,
      withKey: true,
    },
  );
  await call("GET", `/api/v1/lookup?${keep("an unknown parameter", "unheard_of")}=1`, withKey, undefined, {
    route: lookup,
    status: 422,
    withKey: true,
  });
  await call("GET", `/api/v1/lookup?number=%ff${keep("half a query", "halfaquery")}`, withKey, undefined, {
    route: lookup,
    status: 400,
    withKey: true,
  });
  await call(
    "POST",
    "/api/v1/verify/start",
    withKey,
    `{"recipient":"${keep("a recipient in broken JSON", "broken@example.com")}`,
    {
      route: api("/verify/start"),
      status: 400,
      withKey: true,
    },
  );
  await call(
    "POST",
    "/api/v1/verify/start",
    withKey,
    { ...start, recipient: keep("a refused recipient", "refused at example") },
    {
      route: api("/verify/start"),
      status: 422,
      withKey: true,
    },
  );
  await call("GET", `/${keep("a path that is unknown", "secret-path-of-somebody")}`, {}, undefined, {
    route: "unmatched",
    status: 404,
  });
  await call(
    "POST",
    "/byond.v1.LookupService/LookupNumber",
    withKey,
    { number: keep("a number over Connect", "+4930123456") },
    {
      route: "/byond.v1.LookupService/LookupNumber",
      status: 200,
      withKey: true,
    },
  );
  await call("GET", "/healthz", {}, undefined, { route: "/healthz", status: 200 });
  await call("GET", "/readyz", {}, undefined, { route: "/readyz", status: 200 });
  await call("DELETE", `/api/v1/api-keys/${created.id}`, bearer, undefined, {
    route: "DELETE /api/v1/api-keys/{id}",
    status: 200,
  });
  await call("GET", "/api/v1/lookup?number=1", withKey, undefined, { route: lookup, status: 401 });
}

test("every line is one JSON object with time, level and event", () => {
  for (const line of lines) {
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(["info", "warn", "error"]).toContain(line.level);
    expect(typeof line.event).toBe("string");
  }
  expect(lines.map(({ event }) => event).slice(-2)).toEqual(["stopping", "stopped"]);
});

/** The lines of requests, as `sent` has them. */
function told(): string[] {
  return requests().map(({ method, route, status, key_prefix: prefix }) => {
    // Over REST the route begins with the method of its template, which is not always that of the request.
    const path = String(route).replace(`${method} /`, "/");
    return `${method} ${path} ${status}${prefix === livePrefix ? " with key" : ""}`;
  });
}

const requests = () => lines.filter(({ event }) => event === "request");
const isOfPage = (line: string) => /^GET (\/dev\/inbox|\/healthz|\/readyz|unmatched) 200( with key)?$/.test(line);

test("each request has one line: its id, method, route, status, milliseconds, and the prefix of its key", () => {
  expect(requests()).toHaveLength(sent.length);
  expect(told().filter((line) => !isOfPage(line))).toEqual(sent.filter((line) => !isOfPage(line)));
  expect(new Set(requests().map(({ request_id: id }) => id)).size).toBe(sent.length);
  for (const { request_id: id, ms } of requests()) {
    expect(id).toMatch(/^req_[0-9A-Za-z]{22}$/);
    expect(ms).toBeGreaterThanOrEqual(0);
    expect(ms).toBeLessThan(60_000);
  }
});

test("the line of a page names its path", () => {
  expect(told().filter(isOfPage)).toEqual(sent.filter(isOfPage));
});

test("the line of a failed request has the API's error code", () => {
  const codes = requests().map(({ status, code }) => [status, code]);
  for (const [status, code] of codes) {
    expect([status, typeof code]).toEqual([status, Number(status) < 400 ? "undefined" : "string"]);
  }
  expect(codes).toContainEqual([422, "validation_error"]);
  expect(codes).toContainEqual([401, "invalid_api_key"]);
});

test("the log contains no secret and no recipient", () => {
  expect(secrets.size).toBeGreaterThan(20);
  for (const [what, secret] of secrets) {
    expect(secret.length, what).toBeGreaterThanOrEqual(8);
    for (const form of new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])) {
      expect([what, written.includes(form)]).toEqual([what, false]);
    }
  }
});

test("the log of its PostgreSQL contains no secret and no recipient", () => {
  for (const [what, secret] of secrets) {
    expect([what, postgresLog.includes(secret)]).toEqual([what, false]);
  }
});
