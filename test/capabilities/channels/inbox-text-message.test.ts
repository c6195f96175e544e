import { beforeAll, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { useTestApp } from "../../support/app.ts";
import { messagesTo } from "../verify/verify-calls.ts";

/** Text messages have a provider, so that the sandbox serves them. */
const { delivery } = parseConfig({
  SMS_URL: "http://127.0.0.1:9/",
  PROVIDER_SECRET: "a secret for adapters that is long enough",
});
const app = useTestApp({ delivery });
let key: string;
beforeAll(async () => {
  key = await app.mintKey({ mode: "test", scopes: ["verify"] });
});

test("the inbox has a text message as it would be sent: with plain signs, and the line for phones", async () => {
  const recipient = "+6591234567";
  const body = { channel: "sms", recipient, brand: "Joe’s", autofill_domain: "acme.example" };
  expect((await app.rest("POST", "/verify/start", { key, body })).status).toBe(201);
  const text = (await messagesTo(app, recipient, 1))[0]?.text ?? "";
  expect(text).toContain("Joe's");
  expect(text).toMatch(/\n\n@acme\.example #\d{6}$/);
});
