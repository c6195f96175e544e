/** The numbers of the rules and what the schema says of them, in its rules and in its comments. */
import { readFile } from "node:fs/promises";
import { type DescField, getOption } from "@bufbuild/protobuf";
import { field as fieldRules, type Int32Rules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { beforeAll, expect, test } from "vitest";
import {
  ApiKeyChangesSchema,
  CreateApiKeyRequestSchema,
  IpAllowlistSchema,
  ListApiKeysRequestSchema,
  OriginListSchema,
  RevokeApiKeyRequestSchema,
  RotateApiKeyRequestSchema,
} from "../../gen/byond/v1/api_key_pb.ts";
import {
  ChangePasswordRequestSchema,
  ConfirmPasswordResetRequestSchema,
  SignUpRequestSchema,
} from "../../gen/byond/v1/auth_pb.ts";
import { ListEventsRequestSchema } from "../../gen/byond/v1/event_pb.ts";
import { CreateFixedCodeRequestSchema } from "../../gen/byond/v1/fixed_code_pb.ts";
import { ListLookupsRequestSchema } from "../../gen/byond/v1/lookup_pb.ts";
import { ExportRecipientRequestSchema } from "../../gen/byond/v1/recipient_pb.ts";
import { ListSuppressionsRequestSchema } from "../../gen/byond/v1/suppression_pb.ts";
import { PreviewTemplateRequestSchema, PutTemplateRequestSchema } from "../../gen/byond/v1/template_pb.ts";
import { ListVerificationsRequestSchema, StartVerificationRequestSchema } from "../../gen/byond/v1/verify_pb.ts";
import {
  CreateWebhookRequestSchema,
  ListWebhookDeliveriesRequestSchema,
  RotateWebhookSecretRequestSchema,
  WebhookChangesSchema,
} from "../../gen/byond/v1/webhook_pb.ts";
import { maxAllowlistEntries } from "../../src/access/ip-allowlist.ts";
import { maxOrigins } from "../../src/access/publishable-keys.ts";
import { parseConfig } from "../../src/app.ts";
import {
  hoursToVerify,
  newAccountLimits,
  passwordLength,
  passwordLimits,
  refreshTokenDays,
  resetLimits,
} from "../../src/capabilities/accounts/accounts.policy.ts";
import * as events from "../../src/capabilities/events/events.policy.ts";
import * as keys from "../../src/capabilities/keys/keys.policy.ts";
import * as lookups from "../../src/capabilities/lookup/history/history.policy.ts";
import * as recipients from "../../src/capabilities/recipients/recipients.policy.ts";
import * as reports from "../../src/capabilities/reports/reports.policy.ts";
import * as suppressions from "../../src/capabilities/suppressions/suppressions.policy.ts";
import * as templates from "../../src/capabilities/templates/templates.policy.ts";
import { fixedCodeDays, maxFixedCodes } from "../../src/capabilities/verify/fixed-codes/fixed-codes.policy.ts";
import {
  accountSendLimit,
  brandLength,
  codeLength,
  guessing,
  guessLimit,
  maxAttempts,
  maxFallbackSteps,
  maxSends,
  pageSize,
  sendLimit,
  ttlSeconds,
} from "../../src/capabilities/verify/verify.policy.ts";
import * as webhooks from "../../src/capabilities/webhooks/webhooks.policy.ts";
import type { SqlThrottleLimit, ThrottleLimit } from "../../src/database/throttle.ts";
import { keptHours, keyLength } from "../../src/idempotency/idempotency.policy.ts";
import { maxUrlLength } from "../../src/outgoing/customer-url.ts";
import { periods } from "../../src/rpc/report-period.ts";

/** The smallest and largest number, or length, that the rules of a field allow. */
function boundsOf(field: DescField): readonly [number, number] {
  const rules = getOption(field, fieldRules).type;
  if (rules.case === "int32") {
    const { greaterThan, lessThan }: Int32Rules = rules.value;
    return [Number(greaterThan.value), Number(lessThan.value)];
  }
  if (rules.case === "repeated") {
    return [Number(rules.value.minItems), Number(rules.value.maxItems)];
  }
  return rules.case === "string" ? [Number(rules.value.minLen), Number(rules.value.maxLen)] : [Number.NaN, Number.NaN];
}

test("the schema's rules are those of the policies", () => {
  const start = StartVerificationRequestSchema.field;
  expect(boundsOf(start.codeLength)).toEqual([codeLength.min, codeLength.max]);
  expect(boundsOf(start.ttlSeconds)).toEqual([ttlSeconds.min, ttlSeconds.max]);
  expect(boundsOf(start.brand)).toEqual([brandLength.min, brandLength.max]);
  expect(boundsOf(start.fallback)).toEqual([0, maxFallbackSteps]);
  for (const { subject, text, html, logo } of [PutTemplateRequestSchema.field, PreviewTemplateRequestSchema.field]) {
    expect(boundsOf(subject)).toEqual([0, templates.subjectLength.max]);
    expect(boundsOf(text)).toEqual([0, templates.textLength.max]);
    expect(boundsOf(html)).toEqual([0, templates.maxHtmlBytes]);
    // In base64.
    expect(boundsOf(logo)).toEqual([0, Math.ceil(templates.logo.maxBytes / 3) * 4]);
  }
  expect(boundsOf(ListVerificationsRequestSchema.field.pageSize)).toEqual([pageSize.min, pageSize.max]);
  for (const field of [
    SignUpRequestSchema.field.password,
    ChangePasswordRequestSchema.field.newPassword,
    ConfirmPasswordResetRequestSchema.field.newPassword,
  ]) {
    expect(boundsOf(field)).toEqual([passwordLength.min, passwordLength.max]);
  }
  expect(boundsOf(ListSuppressionsRequestSchema.field.pageSize)).toEqual([
    suppressions.pageSize.min,
    suppressions.pageSize.max,
  ]);
  expect(boundsOf(ListLookupsRequestSchema.field.pageSize)).toEqual([lookups.pageSize.min, lookups.pageSize.max]);
  expect(boundsOf(ExportRecipientRequestSchema.field.pageSize)).toEqual([
    recipients.pageSize.min,
    recipients.pageSize.max,
  ]);
  expect(boundsOf(ListEventsRequestSchema.field.pageSize)).toEqual([events.pageSize.min, events.pageSize.max]);
  expect(boundsOf(ListWebhookDeliveriesRequestSchema.field.pageSize)).toEqual([
    webhooks.pageSize.min,
    webhooks.pageSize.max,
  ]);
  expect(boundsOf(RotateWebhookSecretRequestSchema.field.graceSeconds)).toEqual([
    webhooks.graceSeconds.min,
    webhooks.graceSeconds.max,
  ]);
  expect(boundsOf(CreateWebhookRequestSchema.field.url)).toEqual([0, maxUrlLength]);
  expect(boundsOf(WebhookChangesSchema.field.url)).toEqual([1, maxUrlLength]);
  for (const { description } of [CreateWebhookRequestSchema.field, WebhookChangesSchema.field]) {
    expect(boundsOf(description)).toEqual([0, webhooks.maxDescriptionLength]);
  }
  const fixed = CreateFixedCodeRequestSchema.field;
  expect(boundsOf(fixed.codeLength)).toEqual([codeLength.min, codeLength.max]);
  expect(boundsOf(fixed.days)).toEqual([fixedCodeDays.min, fixedCodeDays.max]);
  const changes = ApiKeyChangesSchema.field;
  const created = CreateApiKeyRequestSchema.field;
  expect(boundsOf(changes.name)).toEqual([keys.nameLength.min, keys.nameLength.max]);
  // That it is required says that it has a character.
  expect(boundsOf(created.name)).toEqual([0, keys.nameLength.max]);
  for (const { requestsPerMinute } of [created, changes]) {
    expect(boundsOf(requestsPerMinute)).toEqual([keys.requestsPerMinute.min, keys.requestsPerMinute.max]);
  }
  expect(boundsOf(IpAllowlistSchema.field.ranges)).toEqual([1, maxAllowlistEntries]);
  expect(boundsOf(OriginListSchema.field.origins)).toEqual([1, maxOrigins]);
  expect(boundsOf(RotateApiKeyRequestSchema.field.graceSeconds)).toEqual([
    keys.graceSeconds.min,
    keys.graceSeconds.max,
  ]);
  expect(boundsOf(ListApiKeysRequestSchema.field.pageSize)).toEqual([keys.pageSize.min, keys.pageSize.max]);
  expect(boundsOf(RevokeApiKeyRequestSchema.field.reason)).toEqual([0, keys.reasonLength.max]);
});

let comments: Readonly<Record<string, string>>;
beforeAll(async () => {
  const files = [
    "verify",
    "auth",
    "api_key",
    "event",
    "webhook",
    "report",
    "suppression",
    "fixed_code",
    "lookup",
    "recipient",
  ].map(async (name) => [
    name,
    (await readFile(new URL(`../../proto/byond/v1/${name}.proto`, import.meta.url), "utf8")).replace(
      /\n\s*\/\/ ?/g,
      " ",
    ),
  ]);
  comments = Object.fromEntries(await Promise.all(files));
});

test.each<[string, string, number]>([
  [
    "suppression",
    `Suppressions per page, ${suppressions.pageSize.min} to ${suppressions.pageSize.max}. Default ${suppressions.pageSize.default}.`,
    1,
  ],
  [
    "lookup",
    `Lookups per page, ${lookups.pageSize.min} to ${lookups.pageSize.max}. Default ${lookups.pageSize.default}.`,
    1,
  ],
  [
    "recipient",
    `Records per page, ${recipients.pageSize.min} to ${recipients.pageSize.max}. Default ${recipients.pageSize.default}.`,
    1,
  ],
  ["suppression", `ends by itself after ${suppressions.suppressionDays.default} days`, 1],
  ["verify", `Number of digits of the code, ${codeLength.min} to ${codeLength.max}. Default ${codeLength.default}.`, 1],
  ["verify", `in seconds, ${ttlSeconds.min} to ${ttlSeconds.max}. Default ${ttlSeconds.default}.`, 1],
  ["verify", `The sender's name as the recipient reads it, ${brandLength.min} to ${brandLength.max} characters`, 1],
  ["verify", `Verifications per page, ${pageSize.min} to ${pageSize.max}. Default ${pageSize.default}.`, 1],
  [
    "event",
    `Events per page, ${events.pageSize.min} to ${events.pageSize.max}. Default ${events.pageSize.default}.`,
    1,
  ],
  ["event", `kept for ${events.retention.default} days`, 1],
  [
    "fixed_code",
    `Number of digits of the code, ${codeLength.min} to ${codeLength.max}. Default ${codeLength.default}.`,
    1,
  ],
  [
    "fixed_code",
    `Days until it ends, ${fixedCodeDays.min} to ${fixedCodeDays.max}. Default ${fixedCodeDays.default}.`,
    1,
  ],
  ["fixed_code", `a workspace has ${maxFixedCodes} at most, and each ends after ${fixedCodeDays.max} days`, 1],
  ["report", `for ${reports.retention.default} days`, 1],
  ["report", `The current hour and the ${periods.day.buckets - 1} before it`, 1],
  ["report", `Today and the ${periods.week.buckets - 1} days before`, 1],
  ["report", `Today and the ${periods.month.buckets - 1} days before`, 1],
  ["auth", `${passwordLength.min} to ${passwordLength.max} characters`, 3],
  ["auth", `within ${refreshTokenDays} days`, 4],
  ["auth", `still unverified after ${hoursToVerify} hours`, 1],
  ["api_key", `${keys.nameLength.min} to ${keys.nameLength.max} characters, not blank`, 2],
  ["api_key", `at most ${keys.reasonLength.max} characters`, 1],
  ["api_key", `At least one, at most ${maxAllowlistEntries}:`, 1],
  ["api_key", `At least one, at most ${maxOrigins}:`, 1],
  ["api_key", `${keys.requestsPerMinute.min} to ${keys.requestsPerMinute.max.toLocaleString("en")}`, 2],
  [
    "api_key",
    `in seconds, ${keys.graceSeconds.min} to ${keys.graceSeconds.max}. Default ${keys.graceSeconds.default}`,
    1,
  ],
  ["api_key", `Keys per page, ${keys.pageSize.min} to ${keys.pageSize.max}.`, 1],
])("%s.proto says: %s", (file, sentence, times) => {
  expect(comments[file]?.split(sentence).length).toBe(times + 1);
});

test("wrong codes and messages are five, as the comments say in words", () => {
  expect([maxAttempts, maxSends]).toEqual([5, 5]);
  expect(comments.verify).toMatch(/\bfive\b/i);
});

test.each(["src/capabilities/reference/guide/idempotency.md", "gen/openapi.json"])(
  "%s says how long an idempotency key is and how long it is kept",
  async (path) => {
    const text = await readFile(new URL(`../../${path}`, import.meta.url), "utf8");
    expect(text).toContain(`or ${keptHours} hours`);
    expect(text).toContain(`${keyLength.min} to ${keyLength.max} printable characters`);
  },
);

const perSeconds: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3_600, day: 86_400 };

/** `A burst of 3 codes, then 1 per minute`: the burst, and the seconds until one comes back. */
function limitsIn(text: string): (readonly [number, number])[] {
  const limits = text.matchAll(/A burst of (\d+)(?: [a-z]+)*, then (\d+) per (?:(\d+) )?(second|minute|hour|day)s?/g);
  return [...limits].map(([, burst, count, several = "1", unit = ""]) => [
    Number(burst),
    (Number(several) * (perSeconds[unit] ?? 0)) / Number(count),
  ]);
}

const sqlLimit = ({ burst, period }: SqlThrottleLimit) =>
  [Number(burst), Number(/'(\d+) seconds'/.exec(period)?.[1])] as const;
const limit = ({ burst, periodSeconds }: ThrottleLimit) => [burst, periodSeconds] as const;

test("the chapter about limits has the numbers of the policies", async () => {
  const chapter = new URL("../../src/capabilities/reference/guide/rate-limits.md", import.meta.url);
  const text = await readFile(chapter, "utf8");
  const [codes = "", callsOfAccounts = ""] = text.split("\n## Accounts\n");
  const hourly = (times: number) => [times, 3_600 / times] as const;
  const { endUserSendsPerHour } = parseConfig({}).sendLimits;
  const { signUpsPerHour } = parseConfig({});
  const { end_user, caller } = guessing;
  expect(limitsIn(codes)).toEqual([
    sqlLimit(sendLimit),
    hourly(endUserSendsPerHour),
    sqlLimit(guessLimit),
    limit(end_user.checks),
    limit(caller.checks),
  ]);
  const guesses = codes.matchAll(/\| (\d+) verifications \| .* \| (\d+) (hour|minute)s? \|/g);
  expect(
    [...guesses].map(([, times, period, unit = ""]) => [Number(times), Number(period) * (perSeconds[unit] ?? 0)]),
  ).toEqual([end_user, caller].map(({ verifications, slowedSeconds }) => [verifications, slowedSeconds]));
  expect(limitsIn(callsOfAccounts).slice(0, -2)).toEqual([
    hourly(signUpsPerHour),
    limit(newAccountLimits.mailbox),
    sqlLimit(passwordLimits.source),
    sqlLimit(passwordLimits.pair),
    sqlLimit(passwordLimits.strangers),
    limit(resetLimits.source),
    limit(resetLimits.pair),
    limit(accountSendLimit),
  ]);
});
