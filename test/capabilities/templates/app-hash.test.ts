/** No text and no name of a tenant makes a message that Android gives to an app of the tenant's choice (SMS Retriever). */
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { protocols } from "../../support/protocols.ts";

const app = useTestApp(limitsOf({ DEFAULT_TIER: "unlimited" }));
let key: string;
beforeAll(async () => {
  key = await app.mintKey({ mode: "test", scopes: ["templates", "verify"] });
});

const ending =
  "must not end with {{brand}} or {{payee}}, or with exactly eleven letters, digits, + and / such as FA+9qCX9VSu";
const beginning = "must not begin with <#>";

describe.each(protocols)("over $name", (protocol) => {
  const call = (name: Parameters<typeof protocol.call>[1], input: Record<string, unknown>) =>
    protocol.call(app, name, input, { key });

  test.each([
    ["Your code is {{code}}\n\nFA+9qCX9VSu", ending],
    ["Your code is {{code}} FA+9qCX9VSu", ending],
    ["Your code is {{code}}\r\nFA+9qCX9VSu \n\n", ending],
    ["Your code is {{code}}:FA+9qCX9VSu", ending],
    ["Your code is {{code}}\n{FA+9qCX9VSu", ending],
    ["Your code is {{code}}\n\n{{brand}}", ending],
    ["{{code}} is your code for {{brand}} ", ending],
    ["{{code}} for {{amount}}\n{{payee}}", ending],
    ["Your code is {{code}} FA+9q{{brand}}", ending],
    ["Your code is {{code}} {{brand}}CX9VSu", ending],
    ["Your code is {{code}} FA+9qCX9VS{{minutes}}", ending],
    ["Your code is {{code}} FA+9qCX9V{{minutes}}", ending],
    ["Your code is {{code}}.\nRead the information", ending],
    ["Your code is {{code}} CXOFFICIALS", ending],
    ["{{code}} call +4980012345", ending],
    ["＜#＞ {{code}}.", beginning],
    ["<＃{{brand}} {{code}}.", beginning],
    ["<#> Your code is {{code}}.", beginning],
    ["\n <#> {{code}} is your {{brand}} code.", beginning],
    ["<#{{brand}} {{code}}.", beginning],
    ["<{{brand}} {{code}}.", beginning],
    ["{{brand}}> {{code}}.", beginning],
  ])("the text message %j is refused", async (text, problem) => {
    for (const rpc of ["PutTemplate", "PreviewTemplate"] as const) {
      const { body } = await call(rpc, { channel: "sms", locale: "en", text });
      expect(body.fields).toEqual({ text: expect.stringContaining(problem) });
    }
  });

  test.each([
    "Your code is {{code}}.\n\n{{brand}}.",
    "Your code is {{code}}.\nRead the information.",
    "{{code}} call +4980012345.",
    "{{code}} {{brand}} authenticator",
    "{{code}}\n\nACME-CENTER",
    "{{brand}}: {{code}}",
    "{{brand}}'s code: {{code}}",
    "< {{code}} > for {{minutes}} min",
    "{{code}} for you alone, valid for {{minutes}}min",
  ])("the text message %j is accepted", async (text) => {
    const { code, body } = await call("PutTemplate", { channel: "sms", locale: "en", text });
    expect([code, body.fields]).toEqual(["ok", undefined]);
  });

  test("mails are for no app", async () => {
    const text = "<#> {{code}}\n\nFA+9qCX9VSu";
    expect((await call("PutTemplate", { channel: "email", locale: "en", text })).code).toBe("ok");
  });

  test("a brand or a payee that begins with <#> is refused", async () => {
    const start = { channel: "email", recipient: "ada@example.com" };
    const amount = { value: "1", currency: "EUR" };
    for (const name of ["<#>", "<#> Acme", "  <#>Acme", "＜#＞ Acme"]) {
      expect((await call("StartVerification", { ...start, brand: name })).body.fields).toEqual({
        brand: `${beginning}`,
      });
      expect((await call("StartVerification", { ...start, payee: name, amount })).body.fields).toEqual({
        payee: beginning,
      });
      expect((await call("PreviewTemplate", { channel: "sms", locale: "en", brand: name })).body.fields).toEqual({
        brand: beginning,
      });
    }
    for (const name of ["<kbd>", "#1 <#", "Acme <#>", "TripAdvisor"]) {
      const recipient = `${crypto.randomUUID()}@example.com`;
      expect((await call("StartVerification", { ...start, recipient, brand: name })).code).toBe("ok");
    }
  });
});
