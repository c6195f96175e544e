/** What a page, or whoever copied the key out of it, tries with a publishable key: no other origin passes for one that the key names. */
import { request as requestHttp } from "node:http";
import { connect } from "node:http2";
import { expect, test } from "vitest";
import { shop, usePages } from "../access/pages-fixture.ts";

const { app, keys, start, from } = usePages();

type Fields = Readonly<Record<string, string | string[]>>;

function overHttp1(method: string, path: string, headers: Fields, body = "") {
  return new Promise<{ status: number; headers: Readonly<Record<string, unknown>> }>((resolve, reject) => {
    const { hostname, port } = new URL(app.url);
    const request = requestHttp({ hostname, port, method, path, headers }, (response) => {
      response.resume().on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    });
    request.on("error", reject).end(body);
  });
}

function overHttp2(path: string, headers: Fields, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connect(app.url);
    const stream = session.request({ ":method": "POST", ":path": path, ...headers });
    let status = 0;
    stream.on("response", (fields) => {
      status = Number(fields[":status"]);
    });
    stream.on("error", reject).on("end", () => {
      session.close();
      resolve(status);
    });
    stream.resume().end(body);
  });
}

const otherOrigins: readonly (string | string[])[] = [
  [shop, shop],
  [shop, "https://evil.example"],
  ["https://evil.example", shop],
  [shop, "null"],
  `${shop}.`,
  `${shop}:0443`,
  `${shop};`,
  `${shop}%00.evil.example`,
  `${shop}\u00ad`,
  "https://shop\u00b7example",
  "https://xn--shop.example",
  `blob:${shop}/1`,
  `filesystem:${shop}`,
  `view-source:${shop}`,
  "chrome-extension://shop.example",
  "wss://shop.example",
  "//shop.example",
  "shop.example",
];

test("no other origin passes for one of the key, however it is written, and costs an attempt", async () => {
  const id = await start(keys.secret);
  const body = JSON.stringify({ verification_id: id, code: "1" });
  for (const origin of otherOrigins) {
    const headers = { ...from(undefined), "content-type": "application/json", "x-api-key": keys.page, origin };
    const statuses = [
      (await overHttp1("POST", "/api/v1/verify/check", headers, body)).status,
      await overHttp2("/api/v1/verify/check", headers, body),
      await overHttp2("/byond.v1.VerifyService/CheckVerification", headers, body),
    ];
    expect(statuses, JSON.stringify(origin)).toEqual([403, 403, 403]);
  }
  const { body: read } = await app.rest("GET", `/verify/${id}`, { key: keys.secret });
  expect(read).toMatchObject({ attempts_left: 5, status: "pending" });
});

test.each(["referer", "x-forwarded-host", "host", "x-origin", "sec-fetch-site"])(
  "the header %s stands for no Origin",
  async (name) => {
    const id = await start(keys.secret);
    const value = { host: "shop.example", "sec-fetch-site": "same-origin" }[name] ?? `${shop}/`;
    const headers = { ...from(undefined), "content-type": "application/json", "x-api-key": keys.page, [name]: value };
    const body = JSON.stringify({ verification_id: id, code: "1" });
    expect((await overHttp1("POST", "/api/v1/verify/check", headers, body)).status).toBe(403);
  },
);

test("a preflight is promised neither cookies nor the header that makes one a session, nor the private network", async () => {
  for (const path of ["/api/v1/verify/check", "/api/v1/verify/%63heck", "http://evil.example/api/v1/verify/check"]) {
    const { status, headers } = await overHttp1("OPTIONS", path, {
      origin: "https://evil.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "byond-session,cookie,authorization",
      "access-control-request-private-network": "true",
    });
    expect(status).toBe(204);
    expect(headers["access-control-allow-origin"]).toBe("*");
    expect(String(headers["access-control-allow-headers"]).toLowerCase()).not.toMatch(/byond-session|cookie|\*/);
    expect(headers).not.toHaveProperty("access-control-allow-credentials");
    expect(headers).not.toHaveProperty("access-control-allow-private-network");
  }
});

test.each([
  "//api/v1/verify/check",
  "/api/v1/verify/check/../../api-keys",
  "/api/v1/verify/check;x",
  "/api/v1/verify/../api-keys/resend",
])("a path that looks like that of a page's call is none: %s", async (path) => {
  const asked = { origin: "https://evil.example", "access-control-request-method": "POST" };
  const { headers } = await overHttp1("OPTIONS", path, asked);
  expect(headers).not.toHaveProperty("access-control-allow-origin");
});
