import { describe, expect, test } from "vitest";
import { camelCaseNames, docWriter, wrapText } from "../../sdk/generator/doc-text.ts";
import { emitters } from "../../sdk/generator/emitters.ts";
import { modelOfSchema } from "../../sdk/generator/generate.ts";
import type { Model } from "../../sdk/generator/model.ts";
import { methodName, serviceName } from "../../sdk/generator/names.ts";
import { readModel } from "../../sdk/generator/read-model.ts";
import { readBadgeService } from "../wire/badges/badges.capability.ts";

const model: Model = await modelOfSchema();

test("these are the names that users call: none of them changes by accident", () => {
  const names = model.services.map(({ name, operations }) => `${name}: ${operations.map((one) => one.name).join(" ")}`);
  expect(names).toEqual([
    "verify: start check get resend cancel list erase",
    "suppressions: list delete",
    "recipients: export",
    "guard: get update list_blocks delete_block list_safe_list_entries add_safe_list_entry delete_safe_list_entry get_report",
    "templates: list get put delete preview",
    "lookup: number batch list get",
    "email: lookup",
    "events: list get stream",
    "webhooks: create list get update delete rotate_secret test list_deliveries redeliver",
    "balance: get list_entries list_spend_caps set_spend_cap delete_spend_cap",
    "reports: usage overview verifications",
    "fixed_codes: create list delete",
    "keys: create list get update rotate revoke",
    "auth: sign_up sign_in refresh sign_out me logout_all start_password_reset confirm_password_reset change_password start_email_verification check_email_verification get_workspace update_workspace delete_account",
  ]);
});

test.each([
  ["WebhookService", ["ListWebhooks"], "webhooks"],
  ["PolicyService", ["ListPolicies"], "policies"],
  ["BillingService", ["GetBalance"], "billing"],
  ["SenderDomainService", ["ListSenderDomains"], "sender_domains"],
])("%s with %j is called %s", (service, rpcNames, expected) => {
  expect(serviceName(service, rpcNames)).toBe(expected);
});

test.each([
  ["WebhookService", "ListWebhooks", "list"],
  ["WebhookService", "ListWebhookDeliveries", "list_deliveries"],
  ["PolicyService", "ListPolicies", "list"],
  ["KeyService", "ListKeys", "list"],
  ["BillingService", "GetBalance", "get_balance"],
  ["VerifyService", "StartVerification", "start"],
  ["EventService", "Event", "event"],
])("%s.%s is the method %s", (service, rpcName, expected) => {
  expect(methodName(service, rpcName)).toBe(expected);
});

describe("a service that nobody wrote code for", async () => {
  const badges = readModel([await readBadgeService()]);

  test("has its operation in the model", () => {
    expect(badges.services).toMatchObject([
      {
        name: "badge",
        operations: [{ id: "badge.issue", rpcName: "IssueBadge", parametersIn: "body", scope: "badges" }],
      },
    ]);
  });

  test.each(emitters.map((emitter) => [emitter.folder, emitter] as const))("is in %s", (_, { emit }) => {
    const code = Object.values(emit(badges, new Uint8Array()))
      .filter((content) => typeof content === "string")
      .join("\n");
    // Go's comments begin with the name.
    expect(code).toMatch(/\bissues a badge\./i);
    expect(code).toMatch(/\bissue\b/i);
    expect(code).toMatch(/\bwhose badge it is\./i);
  });
});

test("two RPCs of one name are refused", async () => {
  const badge = await readBadgeService();
  expect(() => readModel([badge, badge])).toThrow(/would be called "badge"/);
});

test("comments name RPCs and fields as the language does, and codes and words as they are", () => {
  const describe = docWriter(model, camelCaseNames);
  expect(
    describe(
      "Pass `verification_id` to `CheckVerification`, `RotateWebhookSecret`; `rate_limited`, `toll_free`, `x_y`.",
    ),
  ).toBe("Pass `verificationId` to `verify.check`, `webhooks.rotateSecret`; `rate_limited`, `toll_free`, `x_y`.");
});

test("comments are broken between words, and lists keep their indent", () => {
  expect(wrapText("one two three\n\n- four five six", 9)).toEqual([
    "one two",
    "three",
    "",
    "- four",
    "  five",
    "  six",
  ]);
});
