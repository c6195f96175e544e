/** Servers with their own database that others can reach, as `npm start` makes them: what is closed, and what says so. */
import { describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { MainProcess, makeFolder } from "./main-process.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function call(url: string, key?: string, body?: object): Promise<Answer> {
  // As a plain `proxy_pass` sends it: loopback peer and Host, and no header that names a client.
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(key === undefined ? {} : { "X-API-Key": key }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

const codeOf = ({ status, text }: Answer) => [status, JSON.parse(text).error.code];

describe.each([
  ["PUBLIC_URL names another host", { PUBLIC_URL: "https://otp.example.com" }],
  ["it listens beyond loopback", { HOST: "0.0.0.0" }],
  ["a proxy on this machine stands in front", { TRUSTED_PROXIES: "127.0.0.1" }],
])("where %s", (_what, settings) => {
  test("a request from loopback reaches no codes, accounts or metrics", async () => {
    await using folder = await makeFolder();
    const port = String(await freePort());
    await using server = new MainProcess({ environment: { PORT: port, DATA_DIR: folder.path, ...settings } });
    const [, key = ""] = await server.wrote(/BYONDAPI_KEY="(pk_test_[^"]+)"/);
    const url = `http://127.0.0.1:${port}`;

    expect(codeOf(await call(`${url}/dev/inbox`))).toEqual([401, "invalid_api_key"]);
    expect(codeOf(await call(`${url}/metrics`))).toEqual([404, "not_found"]);
    const account = { email: "mallory@example.com", password: "correct horse battery", name: "Mallory" };
    expect(codeOf(await call(`${url}/api/v1/auth/sign-up`, undefined, account))).toEqual([404, "not_found"]);

    // The sandbox's messages are its key's to read. They hold zeros, and no provider sends them.
    const start = { channel: "email", recipient: "ada@example.com" };
    expect(JSON.parse((await call(`${url}/api/v1/verify/start`, key, start)).text).status).toBe("pending");
    await expect
      .poll(async () => JSON.parse((await call(`${url}/dev/inbox`, key)).text))
      .toMatchObject([{ recipient: "ada@example.com", text: expect.stringContaining("000000") }]);

    expect(await server.stop()).toEqual({ code: 0, signal: null });
    // No link that shows everybody's messages.
    expect(server.written).not.toContain("token=");
    const said = server.log.split("\n").filter((line) => line.includes('"settings"'));
    expect(said.map((line) => JSON.parse(line).settings.join()).toSorted()).toEqual([
      "METRICS_TOKEN",
      "SIGN_UP=open",
      "SMTP_URL,MAIL_FROM",
      ...("PUBLIC_URL" in settings ? ["TRUSTED_PROXIES"] : []),
      "WHATSAPP_TOKEN",
    ]);
  });
});

test("codes of live keys never go to the inbox of a public server: the channels are unavailable", async () => {
  await using folder = await makeFolder();
  const port = String(await freePort());
  const environment = { PORT: port, DATA_DIR: folder.path, PUBLIC_URL: "http://otp.example.com", SIGN_UP: "open" };
  await using server = new MainProcess({ environment });
  await server.url();
  const url = `http://127.0.0.1:${port}`;
  const account = { email: "ada@example.com", password: "correct horse battery", name: "Acme" };
  const { access_token: session } = JSON.parse((await call(`${url}/api/v1/auth/sign-up`, undefined, account)).text);
  const post = async (path: string, body?: object) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${session}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return JSON.parse(await response.text());
  };
  const { key } = await post("/api-keys", { name: "live" });
  for (const [channel, recipient] of [
    ["email", "ada@example.com"],
    ["whatsapp", "+6591234567"],
  ]) {
    const { status, text } = await call(`${url}/api/v1/verify/start`, key, { channel, recipient });
    expect([status, JSON.parse(text).status]).toEqual([201, "channel_unavailable"]);
  }
  expect(await post("/auth/verify-email")).toMatchObject({ status: "channel_unavailable" });
  expect(await call(`${url}/dev/inbox`, key)).toMatchObject({ status: 200, text: "[]\n" });
});

test("on loopback the banner's link opens the inbox once, and the log contains neither the link nor the cookie", async () => {
  await using folder = await makeFolder();
  const environment = { PORT: "0", DATA_DIR: folder.path };
  await using first = new MainProcess({ environment });
  const [, link = ""] = await first.wrote(/(http:\/\/127\.0\.0\.1:\d+\/dev\/inbox\?token=\S+)\n/);
  const opened = await fetch(link);
  expect([opened.status, await opened.json()]).toEqual([200, []]);
  const [cookie = ""] = (opened.headers.get("set-cookie") ?? "").split(";");
  expect((await fetch(link)).status).toBe(401);
  expect((await fetch(link, { headers: { Cookie: cookie } })).status).toBe(200);
  await first.stop();
  expect(first.log).toContain("/dev/inbox");
  for (const secret of [link.split("=")[1] ?? "", cookie.split("=")[1] ?? ""]) {
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(first.log).not.toContain(secret);
  }

  await using second = new MainProcess({ environment });
  const [, next = ""] = await second.wrote(/(http:\/\/127\.0\.0\.1:\d+\/dev\/inbox\?token=\S+)\n/);
  const url = await second.url();
  expect((await fetch(`${url}/dev/inbox?${link.split("?")[1]}`)).status).toBe(401);
  expect((await fetch(`${url}/dev/inbox`, { headers: { Cookie: cookie } })).status).toBe(401);
  expect((await fetch(next)).status).toBe(200);
  await second.stop();
});
