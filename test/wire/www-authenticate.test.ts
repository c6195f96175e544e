/** Who is refused for their credential is told how to authenticate (RFC 9110 §11.6.1), in the words of RFC 6750 §3. */
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";
import { protocolClients } from "./protocol-clients.ts";

const app = useTestApp();
let key: string;
let session: string;
beforeAll(async () => {
  ({ session } = await app.signUp());
  key = await app.mintKey({ scopes: ["lookup"] });
});

const challenge = 'Bearer realm="Byond"';
const number = { number: "1" };
const start = { channel: "email", recipient: "a@example.com" };

describe.each(protocolClients)("over $name", (client) => {
  test.each([
    ["LookupNumber", "No API key was sent. Send one as X-API-Key: <key>, or as Authorization: Bearer <key>."],
    ["ListApiKeys", "No access token was sent. Send one as Authorization: Bearer <token>."],
    ["GetMe", "No API key and no access token was sent. Send one as Authorization: Bearer <key or token>."],
  ] as const)("%s without a credential says that none was sent, and how to send one", async (rpc, message) => {
    for (const headers of [{}, { "X-API-Key": "" }]) {
      const answer = await client.call(app, rpc, rpc === "LookupNumber" ? number : {}, { headers });
      expect(answer).toMatchObject({ code: "invalid_api_key", body: { message } });
      expect(answer.headers.get("WWW-Authenticate")).toBe(challenge);
    }
  });

  test("an invalid credential is answered with invalid_token", async () => {
    for (const answer of [
      await client.call(app, "LookupNumber", number, { key: "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j" }),
      await client.call(app, "ListApiKeys", {}, { session: "e30.e30.e30" }),
    ]) {
      expect(answer.code).toBe("invalid_api_key");
      expect(answer.headers.get("WWW-Authenticate")).toBe(`${challenge}, error="invalid_token"`);
    }
  });

  test("a key without the scope gets the name of the missing scope", async () => {
    const answer = await client.call(app, "StartVerification", start, { key });
    expect(answer.code).toBe("insufficient_scope");
    expect(answer.headers.get("WWW-Authenticate")).toBe(`${challenge}, error="insufficient_scope", scope="verify"`);
  });

  test("every other 401 has a challenge too", async () => {
    const wrong = "not the right password";
    const answers = [
      await client.call(app, "LookupNumber", number, { headers: { Authorization: "Basic YTpi" } }),
      await client.call(app, "LookupNumber", number, { key, headers: { Authorization: "Bearer pk_live_a.b" } }),
      await client.call(app, "LookupNumber", number, { session }),
      await client.call(app, "LookupNumber", number, { key, headers: { "Byond-Signature": "t=1,v1=00" } }),
      await client.call(app, "SignIn", { email: "nobody@example.com", password: wrong }),
      await client.call(app, "RefreshSession", { refresh_token: "none" }),
      await client.call(
        app,
        "ChangePassword",
        { current_password: wrong, new_password: "another long one" },
        { session },
      ),
    ];
    expect(answers.map(({ code }) => code)).toEqual([
      "invalid_api_key",
      "invalid_api_key",
      "invalid_api_key",
      "signature_invalid",
      "invalid_api_key",
      "invalid_api_key",
      "invalid_password",
    ]);
    expect(answers.map(({ headers }) => headers.get("WWW-Authenticate"))).toEqual(answers.map(() => challenge));
  });

  test("errors with other statuses have no challenge", async () => {
    const answer = await client.call(app, "LookupNumber", {}, { key });
    expect(answer.code).toBe("validation_error");
    expect(answer.headers.get("WWW-Authenticate")).toBeNull();
  });
});

test("pages that take the API's credentials have the challenge too", async () => {
  const answer = await fetch(`${app.url}/dev/inbox`);
  expect(answer.status).toBe(401);
  expect(answer.headers.get("WWW-Authenticate")).toBe(challenge);
});
