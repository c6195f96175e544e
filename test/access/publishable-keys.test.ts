/** Publishable keys, which stand in the code of pages: the calls that they may make, over every protocol, and those that they may not. */
import { request as httpRequest } from "node:http";
import {
  create as createMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
} from "@bufbuild/protobuf";
import { routesOf } from "@byond/rest/route";
import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { Credential } from "../../gen/byond/v1/access_pb.ts";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { accessOf } from "../../src/access/authorize.ts";
import { protocolClients } from "../wire/protocol-clients.ts";
import { allMethods } from "../wire/request-messages.ts";
import { local, shop, usePages } from "./pages-fixture.ts";

const { app, keys, create, start, codeSent, from } = usePages();

describe.each(protocolClients)("over $name", (client) => {
  test("a page checks the code of a verification whose id it was given; what counts is what the server reads", async () => {
    const id = await start(keys.secret);
    const code = await codeSent();
    const wrong = await client.call(
      app,
      "CheckVerification",
      { verification_id: id, code: "000" },
      { key: keys.page, headers: from(shop) },
    );
    expect(wrong).toMatchObject({ code: "ok", body: { status: "incorrect" } });
    const right = await client.call(
      app,
      "CheckVerification",
      { verification_id: id, code },
      { key: keys.page, headers: from(local) },
    );
    expect(right).toMatchObject({ code: "ok", body: { status: "approved" } });
    expect((await app.rest("GET", `/verify/${id}`, { key: keys.secret })).body.status).toBe("approved");
  });

  test("a page has the code sent again, and learns nothing of whom it goes to", async () => {
    const id = await start(keys.secret, {
      metadata: { user: "u_1" },
      fallback: [{ channel: "whatsapp", recipient: "+6591234567" }],
    });
    const answer = await client.call(
      app,
      "ResendCode",
      { verification_id: id },
      { key: keys.page, headers: from(shop) },
    );
    expect(answer.code).toBe("ok");
    const { created_at, expires_at, ...rest } = answer.body;
    expect(rest).toEqual({
      verification_id: id,
      channel: "email",
      status: "pending",
      recipient: null,
      attempts_left: 5,
      approved_at: null,
      deliveries: [],
      metadata: {},
      fallback: [],
    });
    expect((await app.rest("GET", `/verify/${id}`, { key: keys.secret })).body.deliveries).toHaveLength(2);
  });

  test("a page resends over channels that the start listed, and names no recipient", async () => {
    const id = await start(keys.secret, {
      fallback: [{ channel: "whatsapp", recipient: `+65912345${10 + protocolClients.indexOf(client)}` }],
    });
    const resend = (fields: object) =>
      client.call(app, "ResendCode", { verification_id: id, ...fields }, { key: keys.page, headers: from(shop) });
    const listed = "must be one that the start listed";
    const named = "must be left out with a publishable key";
    expect(await resend({ channel: "sms" })).toMatchObject({
      code: "validation_error",
      body: { fields: { channel: listed } },
    });
    expect(await resend({ channel: "whatsapp", recipient: "+6591234567" })).toMatchObject({
      code: "validation_error",
      body: { fields: { recipient: named } },
    });
    expect((await app.rest("GET", `/verify/${id}`, { key: keys.secret })).body.deliveries).toHaveLength(1);
    expect(await resend({ channel: "whatsapp" })).toMatchObject({ code: "ok" });
    expect((await app.rest("GET", `/verify/${id}`, { key: keys.secret })).body.deliveries).toHaveLength(2);
  });

  test.each([{ end_user_ip: "203.0.113.7" }, { device_id: "a device" }])(
    "a page does not say where it is: %j",
    async (fields) => {
      const id = await start(keys.secret);
      const [field = ""] = Object.keys(fields);
      const answer = await client.call(
        app,
        "CheckVerification",
        { verification_id: id, code: "1", ...fields },
        { key: keys.page, headers: from(shop) },
      );
      expect(answer).toMatchObject({
        code: "validation_error",
        body: { fields: { [field]: "must be left out with a publishable key" } },
      });
    },
  );

  test("each mode has verifications of its own, and so has each workspace", async () => {
    const live = await start(keys.secret);
    const sandbox = await start(keys.secretTest);
    const stranger = (await create({ origins: [shop] }, (await app.signUp()).session)).key;
    for (const [key, id] of [
      [keys.pageTest, live],
      [keys.page, sandbox],
      [stranger, live],
    ] as const) {
      for (const [rpc, input] of [
        ["CheckVerification", { code: "000000" }],
        ["ResendCode", {}],
      ] as const) {
        const answer = await client.call(app, rpc, { verification_id: id, ...input }, { key, headers: from(shop) });
        expect(answer.code).toBe("not_found");
      }
    }
    const right = { verification_id: sandbox, code: "000000" };
    expect(
      await client.call(app, "CheckVerification", right, { key: keys.pageTest, headers: from(shop) }),
    ).toMatchObject({
      body: { status: "approved" },
    });
  });

  test.each([
    undefined,
    "null",
    "https://shop.example/",
    "HTTPS://SHOP.EXAMPLE",
    "https://shop.example:443",
    "https://shop.example:8443",
    "http://shop.example",
    "https://www.shop.example",
    "https://shop.example.evil.example",
    "https://evil.example#https://shop.example",
    "https://shop.example@evil.example",
    "https://user@shop.example",
    "https://shop.example, https://evil.example",
    "https://shop.example https://shop.example",
    "http://localhost",
    "http://127.0.0.1:3000",
    "",
  ])("the origin %j is not let in, and nothing happens", async (origin) => {
    const id = await start(keys.secret);
    const call = { key: keys.page, headers: from(origin) };
    for (const [rpc, input] of [
      ["CheckVerification", { code: "1" }],
      ["ResendCode", {}],
    ] as const) {
      const answer = await client.call(app, rpc, { verification_id: id, ...input }, call);
      expect(answer).toMatchObject({ code: "origin_not_allowed" });
    }
    const { body } = await app.rest("GET", `/verify/${id}`, { key: keys.secret });
    expect(body).toMatchObject({ attempts_left: 5, status: "pending" });
    expect(body.deliveries).toHaveLength(1);
  });

  test("a key that was revoked, rotated or lost its origin is refused from that moment", async () => {
    const check = (key: string, origin = shop) =>
      client.call(app, "CheckVerification", { verification_id: "vrf_none", code: "1" }, { key, headers: from(origin) });
    const manage = (method: string, path: string, body?: object) =>
      app.rest(method, `/api-keys${path}`, { session: keys.session, ...(body && { body }) });
    const first = await create({ origins: [shop] });
    expect((await check(first.key)).code).toBe("not_found");
    await manage("PATCH", `/${first.id}`, { origins: ["https://other.example"] });
    expect((await check(first.key)).code).toBe("origin_not_allowed");
    expect((await check(first.key, "https://other.example")).code).toBe("not_found");
    const { body: rotated } = await manage("POST", `/${first.id}/rotate`, { grace_seconds: 0 });
    expect(rotated.key).toMatch(/^pk_pub_live_[0-9A-Za-z]{21}$/);
    expect(rotated.origins).toEqual(["https://other.example"]);
    expect((await check(first.key, "https://other.example")).code).toBe("invalid_api_key");
    expect((await check(rotated.key, "https://other.example")).code).toBe("not_found");
    await manage("DELETE", `/${first.id}`);
    expect((await check(rotated.key, "https://other.example")).code).toBe("invalid_api_key");
  });
});

test("gRPC-Web of a page works as well", async () => {
  const transport: Transport = createGrpcWebTransport({
    baseUrl: app.url,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        for (const [name, value] of Object.entries({ ...from(shop), "x-api-key": keys.page })) {
          request.header.set(name, value);
        }
        return next(request);
      },
    ],
  });
  const verificationId = await start(keys.secret);
  const { verification } = await createClient(VerifyService, transport).resendCode({ verificationId });
  expect(verification).toMatchObject({ verificationId, deliveries: [] });
});

test("several Origin headers are not let in, whatever they say", async () => {
  const id = await start(keys.secret);
  for (const origins of [
    [shop, "https://evil.example"],
    ["https://evil.example", shop],
    [shop, shop],
  ]) {
    const status = await new Promise((resolve, reject) => {
      const headers = { "X-API-Key": keys.page, "Content-Type": "application/json", Origin: origins };
      const outgoing = httpRequest(`${app.url}/api/v1/verify/${id}/resend`, { method: "POST", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      outgoing.on("error", reject);
      outgoing.end("{}");
    });
    expect(status).toBe(403);
  }
  expect((await app.rest("GET", `/verify/${id}`, { key: keys.secret })).body.deliveries).toHaveLength(1);
});

test("every other operation that takes keys refuses it, by its declaration", async () => {
  const methods = await allMethods();
  const open = methods.filter((method) => accessOf(method).publishable).map(({ name }) => name);
  expect(open.sort()).toEqual(["CheckVerification", "ResendCode"]);
  const transport = createGrpcTransport({ baseUrl: app.url });
  for (const method of methods) {
    const { credential, publishable } = accessOf(method);
    if (credential === Credential.NONE || publishable) {
      continue;
    }
    const expected = credential === Credential.SESSION ? "invalid_api_key" : "secret_key_required";
    expect(await refusalOver(transport, method), method.name).toBe(expected);
    for (const { httpMethod, template } of routesOf(method, "skip", [])) {
      const path = template.replace(/\{[^}]*\}/g, "x");
      const answer = await fetch(`${app.url}${path}`, {
        method: httpMethod,
        headers: { ...from(shop), "X-API-Key": keys.page },
      });
      expect((await answer.json()).error.code, `${httpMethod} ${template}`).toBe(expected);
    }
  }
}, 60_000);

const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === "unary";
const isStreaming = (method: DescMethod): method is DescMethodStreaming => method.methodKind !== "unary";

/** The code of the error that the call of a page gets over gRPC, which has all kinds of RPCs. */
async function refusalOver(transport: Transport, method: DescMethod): Promise<string | undefined> {
  const headers = { ...from(shop), "x-api-key": keys.page };
  const messages = (async function* () {
    yield createMessage(method.input);
  })();
  try {
    if (isUnary(method)) {
      await transport.unary(method, undefined, undefined, headers, createMessage(method.input));
      return "ok";
    }
    if (isStreaming(method)) {
      const { message } = await transport.stream(method, undefined, undefined, headers, messages);
      await message[Symbol.asyncIterator]().next();
    }
    return "ok";
  } catch (thrown) {
    return ConnectError.from(thrown).findDetails(ErrorInfoSchema)[0]?.code;
  }
}

test("over REST the refusal says what the key may do, before it asks for an origin", async () => {
  const call = { key: keys.page, body: { channel: "email", recipient: "ada@example.com" } };
  const { status, body } = await app.rest("POST", "/verify/start", call);
  expect(status).toBe(403);
  expect(body.error).toMatchObject({
    code: "secret_key_required",
    message:
      "A publishable key may only check codes (POST /api/v1/verify/check) and resend them (POST /api/v1/verify/{verification_id}/resend). Call this from your server, with a secret key.",
  });
});
