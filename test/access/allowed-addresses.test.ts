/** The addresses that a key may be used from: the same over every protocol, whatever a client claims. */

import { get as httpGet } from "node:http";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestApp, useTestApp } from "../support/app.ts";
import { limitsOf } from "../support/limit-settings.ts";
import { protocolClients } from "../wire/protocol-clients.ts";

const limitsBy = (environment: Readonly<Record<string, string>>) =>
  limitsOf({ DEFAULT_TIER: "unlimited", SIGN_UP_LIMIT: "1000000", ...environment });

/** Nobody's word is taken: the address is the socket's, 127.0.0.1. */
const direct = useTestApp();
/** Behind proxies on this machine and in two networks. */
let proxied: TestApp;
/** Behind a proxy that writes a header of its own. */
let renamed: TestApp;
let session: string;
beforeAll(async () => {
  proxied = await direct.startAnother({
    ...limitsBy({ TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48" }),
  });
  renamed = await direct.startAnother({
    ...limitsBy({ TRUSTED_PROXIES: "127.0.0.1", CLIENT_ADDRESS_HEADER: "Fly-Client-IP" }),
  });
  ({ session } = await direct.signUp());
});
afterAll(async () => {
  await renamed[Symbol.asyncDispose]();
  await proxied[Symbol.asyncDispose]();
});

async function mint(ip_allowlist: readonly string[], owner = session): Promise<string> {
  const { body, status } = await direct.rest("POST", "/api-keys", {
    session: owner,
    body: { name: "restricted", ip_allowlist },
  });
  expect(status).toBe(201);
  return body.key;
}

const cannotBeTold =
  "This credential is restricted to certain IP addresses, and the IP address of this request is unknown.";
const notFrom = (address: string) => `This credential may not be used from the IP address ${address}.`;

describe.each(protocolClients)("over $name", (client) => {
  const lookup = async (app: TestApp, key: string, forwarded?: string, header = "X-Forwarded-For") => {
    const headers = forwarded === undefined ? {} : { [header]: forwarded };
    const { code, body } = await client.call(app, "LookupNumber", { number: "1" }, { key, headers });
    return code === "ok" ? "let in" : `${code}: ${body.message}`;
  };
  const refusedFrom = (address: string) => `ip_not_allowed: ${notFrom(address)}`;

  test.each([
    [["127.0.0.1"], true],
    [["127.0.0.0/8"], true],
    [["::ffff:127.0.0.1"], true],
    [["::ffff:127.0.0.0/104"], true],
    [["203.0.113.7", "2001:db8::/32", "127.0.0.1"], true],
    [["0.0.0.0/0"], true],
    [["203.0.113.7"], false],
    [["127.0.0.0/32"], false],
    [["::/0"], false],
    [["::1"], false],
  ])("a key for %j, used from 127.0.0.1: let in is %j", async (allowlist, isLetIn) => {
    expect(await lookup(direct, await mint(allowlist))).toBe(isLetIn ? "let in" : refusedFrom("127.0.0.1"));
  });

  test.each([
    "203.0.113.7",
    "203.0.113.7, 203.0.113.7",
    "127.0.0.1",
    "::ffff:203.0.113.7",
    "for=203.0.113.7",
    "nonsense",
  ])("without a trusted proxy, a client cannot claim an allowed address: X-Forwarded-For: %s", async (forwarded) => {
    expect(await lookup(direct, await mint(["203.0.113.7"]), forwarded)).toBe(refusedFrom("127.0.0.1"));
    expect(await lookup(direct, await mint(["127.0.0.1"]), forwarded)).toBe("let in");
  });

  const list = ["203.0.113.7", "198.51.100.0/24", "2001:db8:1::/48"];
  test.each([
    ["203.0.113.7", undefined],
    ["198.51.100.255", undefined],
    ["2001:db8:1:ffff::9", undefined],
    ["2001:0DB8:0001:0000::9", undefined],
    ["::ffff:203.0.113.7", undefined],
    ["203.0.113.7:4711", undefined],
    ["[2001:db8:1::9]:4711", undefined],
    ["203.0.113.7, 10.1.2.3", undefined],
    ["203.0.113.7, 2001:db8:ffff::1, 10.1.2.3", undefined],
    ["nonsense, 203.0.113.7", undefined],
    ["203.0.113.8", notFrom("203.0.113.8")],
    ["198.51.101.0", notFrom("198.51.101.0")],
    ["2001:db8:2::9", notFrom("2001:db8:2::9")],
    ["2001:0db8:0002::0009", notFrom("2001:db8:2::9")],
    // What stands to the left of the first address that no proxy vouches for, the client wrote itself.
    ["203.0.113.7, 192.0.2.1", notFrom("192.0.2.1")],
    ["203.0.113.7, 192.0.2.1, 10.1.2.3", notFrom("192.0.2.1")],
    ["203.0.113.7, 127.0.0.1, 192.0.2.1", notFrom("192.0.2.1")],
    // Nobody but the proxies: the request is theirs.
    ["10.1.2.3", notFrom("10.1.2.3")],
    ["nonsense", cannotBeTold],
    ["203.0.113.7, nonsense", cannotBeTold],
    ["203.0.113.7,", cannotBeTold],
    ["203.0.113.7, , 10.1.2.3", cannotBeTold],
    ["203.0.113.7 198.51.100.1", cannotBeTold],
    ["3405803783", cannotBeTold],
    ["0xcb.0.113.7", cannotBeTold],
    ["203.0.113.007", cannotBeTold],
    ["203.0.113.7/32", cannotBeTold],
    ["::203.0.113.7", notFrom("::cb00:7107")],
    ["fe80::1%eth0", cannotBeTold],
  ])("behind trusted proxies, X-Forwarded-For: %s", async (forwarded, refusal) => {
    const key = await mint(list);
    expect(await lookup(proxied, key, forwarded)).toBe(refusal === undefined ? "let in" : `ip_not_allowed: ${refusal}`);
  });

  test("if a trusted proxy names no client, the address is the proxy's", async () => {
    expect(await lookup(proxied, await mint(["203.0.113.7"]))).toBe(refusedFrom("127.0.0.1"));
    expect(await lookup(proxied, await mint(["127.0.0.1"]))).toBe("let in");
  });

  test("a malformed X-Forwarded-For does not matter to a key without an allowlist", async () => {
    const { body } = await direct.rest("POST", "/api-keys", { session, body: { name: "free" } });
    expect(await lookup(proxied, body.key, "nonsense")).toBe("let in");
  });

  test("only the header that the configuration names is read", async () => {
    const key = await mint(["203.0.113.7"]);
    expect(await lookup(renamed, key, "203.0.113.7")).toBe(refusedFrom("127.0.0.1"));
    expect(await lookup(renamed, key, "203.0.113.7", "fly-client-ip")).toBe("let in");
  });

  test("the address must be in both the workspace's and the key's allowlist", async () => {
    const owner = await direct.signUp();
    const open = await direct.rest("POST", "/api-keys", { session: owner.session, body: { name: "open" } });
    const narrow = await mint(["203.0.113.7"], owner.session);
    const elsewhere = await mint(["192.0.2.1"], owner.session);
    const client = new pg.Client({ connectionString: direct.databaseUrl });
    await client.connect();
    await client.query("UPDATE workspace SET ip_allowlist = '{203.0.113.0/24,2001:db8:1::/48}' WHERE id = $1", [
      owner.workspaceId,
    ]);
    await client.end();
    expect(await lookup(proxied, open.body.key, "203.0.113.200")).toBe("let in");
    expect(await lookup(proxied, open.body.key, "2001:db8:1::1")).toBe("let in");
    expect(await lookup(proxied, open.body.key, "192.0.2.1")).toBe(refusedFrom("192.0.2.1"));
    expect(await lookup(proxied, narrow, "203.0.113.7")).toBe("let in");
    expect(await lookup(proxied, narrow, "203.0.113.8")).toBe(refusedFrom("203.0.113.8"));
    expect(await lookup(proxied, elsewhere, "192.0.2.1")).toBe(refusedFrom("192.0.2.1"));
    expect(await lookup(proxied, elsewhere, "203.0.113.7")).toBe(refusedFrom("203.0.113.7"));
  });

  test("a changed list applies to the next request", async () => {
    const { body } = await direct.rest("POST", "/api-keys", { session, body: { name: "moving" } });
    const allow = (ip_allowlist: string[]) =>
      client.call(direct, "UpdateApiKey", { id: body.id, ip_allowlist }, { session });
    expect(await lookup(direct, body.key)).toBe("let in");
    await allow(["192.0.2.1"]);
    expect(await lookup(direct, body.key)).toBe(refusedFrom("127.0.0.1"));
    await allow(["127.0.0.1"]);
    expect(await lookup(direct, body.key)).toBe("let in");
  });
});

test("the last of several X-Forwarded-For lines is the proxy's", async () => {
  const key = await mint(["203.0.113.7"]);
  const statusOf = (...lines: string[]) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { "X-API-Key": key, "X-Forwarded-For": lines };
      httpGet(`${proxied.url}/api/v1/lookup?number=1`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject);
    });
  expect(await statusOf("192.0.2.1", "203.0.113.7")).toBe(200);
  expect(await statusOf("203.0.113.7", "192.0.2.1")).toBe(403);
});

test.each([
  ["::1", "[::1]", ["::1"]],
  ["::1", "[::1]", ["::/64"]],
  ["::", "127.0.0.1", ["127.0.0.1"]],
  ["::", "127.0.0.1", ["127.0.0.0/24"]],
  ["::", "[::1]", ["::1"]],
])("a server that listens on %s knows the caller from %s as %j", async (host, target, allowlist) => {
  await using server = await direct.startAnother({ host });
  const key = await mint(allowlist);
  const { port } = new URL(server.url);
  const answer = await fetch(`http://${target}:${port}/api/v1/lookup?number=1`, { headers: { "X-API-Key": key } });
  expect(answer.status).toBe(200);
});
