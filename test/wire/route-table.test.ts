/**
 * Every REST route that the server has: where it is, what it calls, who may call it, and what success is. `buf breaking`
 * does not notice when one of these changes; clients do.
 */
import { readdir } from "node:fs/promises";
import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "@byond/rest/gen/google/api/annotations_pb.js";
import type { HttpRule } from "@byond/rest/gen/google/api/http_pb.js";
import { describe, expect, test } from "vitest";
import { type Access, access, Credential, CredentialSchema, rest } from "../../gen/byond/v1/access_pb.ts";
import { useTestApp } from "../support/app.ts";

/** `<method> <template> → <RPC> · <credential>[:<scope>][+sandbox] · <status of success>`, by template and method. */
const table = [
  "GET /api/v1/api-keys → ApiKeyService.ListApiKeys · session · 200",
  "POST /api/v1/api-keys → ApiKeyService.CreateApiKey · session · 201",
  "DELETE /api/v1/api-keys/{id} → ApiKeyService.RevokeApiKey · session · 200",
  "GET /api/v1/api-keys/{id} → ApiKeyService.GetApiKey · session · 200",
  "PATCH /api/v1/api-keys/{id} → ApiKeyService.UpdateApiKey · session · 200",
  "POST /api/v1/api-keys/{id}/rotate → ApiKeyService.RotateApiKey · session · 200",
  "POST /api/v1/auth/change-password → AuthService.ChangePassword · session · 200",
  "POST /api/v1/auth/delete-account → AuthService.DeleteAccount · api_key_or_session:* · 200",
  "POST /api/v1/auth/logout-all → AuthService.LogoutAll · api_key_or_session:* · 200",
  "GET /api/v1/auth/me → AuthService.GetMe · api_key_or_session+sandbox · 200",
  "POST /api/v1/auth/refresh → AuthService.RefreshSession · none · 200",
  "POST /api/v1/auth/reset-password → AuthService.StartPasswordReset · none · 201",
  "POST /api/v1/auth/reset-password/confirm → AuthService.ConfirmPasswordReset · none · 200",
  "POST /api/v1/auth/sign-in → AuthService.SignIn · none · 200",
  "POST /api/v1/auth/sign-out → AuthService.SignOut · none · 200",
  "POST /api/v1/auth/sign-up → AuthService.SignUp · none · 201",
  "POST /api/v1/auth/verify-email → AuthService.StartEmailVerification · session · 201",
  "POST /api/v1/auth/verify-email/check → AuthService.CheckEmailVerification · session · 200",
  "GET /api/v1/balance → BalanceService.GetBalance · api_key_or_session:balance · 200",
  "GET /api/v1/balance/entries → BalanceService.ListBalanceEntries · api_key_or_session:balance · 200",
  "POST /api/v1/email/verify → EmailService.LookupEmail · api_key:email · 200",
  "GET /api/v1/events → EventService.ListEvents · api_key_or_session:events+sandbox · 200",
  "GET /api/v1/events/stream → EventService.StreamEvents · api_key_or_session:events+sandbox · 200",
  "GET /api/v1/events/{id} → EventService.GetEvent · api_key_or_session:events+sandbox · 200",
  "GET /api/v1/fixed-codes → FixedCodeService.ListFixedCodes · session · 200",
  "POST /api/v1/fixed-codes → FixedCodeService.CreateFixedCode · session · 201",
  "DELETE /api/v1/fixed-codes/{id} → FixedCodeService.DeleteFixedCode · session · 200",
  "GET /api/v1/guard → GuardService.GetGuard · api_key_or_session:guard · 200",
  "PATCH /api/v1/guard → GuardService.UpdateGuard · api_key_or_session:guard · 200",
  "GET /api/v1/guard/blocks → GuardService.ListGuardBlocks · api_key_or_session:guard · 200",
  "DELETE /api/v1/guard/blocks/{id} → GuardService.DeleteGuardBlock · api_key_or_session:guard · 200",
  "GET /api/v1/guard/report → GuardService.GetGuardReport · api_key_or_session:guard+sandbox · 200",
  "GET /api/v1/guard/safe-list → GuardService.ListSafeListEntries · api_key_or_session:guard+sandbox · 200",
  "POST /api/v1/guard/safe-list → GuardService.AddSafeListEntry · api_key_or_session:guard+sandbox · 201",
  "DELETE /api/v1/guard/safe-list/{id} → GuardService.DeleteSafeListEntry · api_key_or_session:guard+sandbox · 200",
  "GET /api/v1/lookup → LookupService.LookupNumber · api_key:lookup · 200",
  "POST /api/v1/lookup/batch → LookupService.BatchLookup · api_key:lookup · 200",
  "GET /api/v1/lookups → LookupService.ListLookups · api_key_or_session:lookup+sandbox · 200",
  "GET /api/v1/lookups/{lookup_id} → LookupService.GetLookup · api_key_or_session:lookup+sandbox · 200",
  "GET /api/v1/recipients/export → RecipientService.ExportRecipient · api_key:verify · 200",
  "GET /api/v1/reports/overview → ReportService.GetOverview · api_key_or_session:reports+sandbox · 200",
  "GET /api/v1/reports/verifications → ReportService.GetVerificationReport · api_key_or_session:reports+sandbox · 200",
  "GET /api/v1/spend-caps → BalanceService.ListSpendCaps · api_key_or_session:balance · 200",
  "DELETE /api/v1/spend-caps/{owner} → BalanceService.DeleteSpendCap · session · 200",
  "PUT /api/v1/spend-caps/{owner} → BalanceService.SetSpendCap · session · 200",
  "GET /api/v1/suppressions → SuppressionService.ListSuppressions · api_key_or_session:verify+sandbox · 200",
  "DELETE /api/v1/suppressions/{suppression_id} → SuppressionService.DeleteSuppression · api_key_or_session:verify+sandbox · 200",
  "GET /api/v1/templates → TemplateService.ListTemplates · api_key_or_session:templates+sandbox · 200",
  "DELETE /api/v1/templates/{channel}/{locale} → TemplateService.DeleteTemplate · api_key_or_session:templates+sandbox · 200",
  "GET /api/v1/templates/{channel}/{locale} → TemplateService.GetTemplate · api_key_or_session:templates+sandbox · 200",
  "PUT /api/v1/templates/{channel}/{locale} → TemplateService.PutTemplate · api_key_or_session:templates+sandbox · 200",
  "POST /api/v1/templates/{channel}/{locale}/preview → TemplateService.PreviewTemplate · api_key_or_session:templates+sandbox · 200",
  "GET /api/v1/usage → ReportService.GetUsage · api_key_or_session:reports+sandbox · 200",
  "GET /api/v1/verifications → VerifyService.ListVerifications · api_key_or_session:reports+sandbox · 200",
  "POST /api/v1/verifications/erase → VerifyService.EraseRecipient · api_key:verify · 200",
  "POST /api/v1/verify/check → VerifyService.CheckVerification · api_key:verify · 200",
  "POST /api/v1/verify/start → VerifyService.StartVerification · api_key:verify · 201",
  "GET /api/v1/verify/{verification_id} → VerifyService.GetVerification · api_key_or_session:verify+sandbox · 200",
  "POST /api/v1/verify/{verification_id}/cancel → VerifyService.CancelVerification · api_key_or_session:verify+sandbox · 200",
  "POST /api/v1/verify/{verification_id}/resend → VerifyService.ResendCode · api_key_or_session:verify+sandbox · 200",
  "GET /api/v1/webhooks → WebhookService.ListWebhooks · api_key_or_session:webhooks+sandbox · 200",
  "POST /api/v1/webhooks → WebhookService.CreateWebhook · api_key_or_session:webhooks+sandbox · 201",
  "DELETE /api/v1/webhooks/{id} → WebhookService.DeleteWebhook · api_key_or_session:webhooks+sandbox · 200",
  "GET /api/v1/webhooks/{id} → WebhookService.GetWebhook · api_key_or_session:webhooks+sandbox · 200",
  "PATCH /api/v1/webhooks/{id} → WebhookService.UpdateWebhook · api_key_or_session:webhooks+sandbox · 200",
  "GET /api/v1/webhooks/{id}/deliveries → WebhookService.ListWebhookDeliveries · api_key_or_session:webhooks+sandbox · 200",
  "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver → WebhookService.RedeliverWebhook · api_key_or_session:webhooks+sandbox · 201",
  "POST /api/v1/webhooks/{id}/rotate-secret → WebhookService.RotateWebhookSecret · api_key_or_session:webhooks+sandbox · 200",
  "POST /api/v1/webhooks/{id}/test → WebhookService.TestWebhook · api_key_or_session:webhooks+sandbox · 200",
  "DELETE /api/v1/workspace → AuthService.DeleteAccount · api_key_or_session:* · 200",
  "GET /api/v1/workspace → AuthService.GetWorkspace · session · 200",
  "PATCH /api/v1/workspace → AuthService.UpdateWorkspace · session · 200",
];

/** What clients branch on and rely on: changing one of these is a breaking change. */
test("the routes are the documented ones", async () => {
  expect((await routes()).map(({ row }) => row)).toEqual(table);
});

interface Route {
  readonly row: string;
  readonly httpMethod: string;
  readonly path: string;
  readonly credential: Credential;
}

async function routes(): Promise<Route[]> {
  const found = (await methods()).flatMap((method) => {
    if (!hasOption(method, http)) {
      return [];
    }
    const rule = getOption(method, http);
    return [rule, ...rule.additionalBindings].map((binding) => routeOf(method, binding));
  });
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.httpMethod < b.httpMethod ? -1 : 1));
}

/** The RPCs of every schema of ours that there is, so that a new one cannot be forgotten here. */
async function methods(): Promise<DescMethod[]> {
  const folder = new URL("../../gen/byond/v1/", import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.endsWith("_pb.ts")).sort();
  const modules: object[] = await Promise.all(files.map((name) => import(new URL(name, folder).href)));
  return modules
    .flatMap((module) => Object.values(module))
    .filter(isService)
    .flatMap((service) => service.methods);
}

function isService(member: unknown): member is DescService {
  return typeof member === "object" && member !== null && "kind" in member && member.kind === "service";
}

function routeOf(method: DescMethod, { pattern }: HttpRule): Route {
  const [httpMethod, path] =
    pattern.case === "custom"
      ? [pattern.value.kind, pattern.value.path]
      : [(pattern.case ?? "").toUpperCase(), pattern.value ?? ""];
  const declared = getOption(method, access);
  const status = (hasOption(method, rest) && getOption(method, rest).successStatus) || 200;
  const row = `${httpMethod} ${path} → ${method.parent.name}.${method.name} · ${accessWords(declared)} · ${status}`;
  return { row, httpMethod, path, credential: declared.credential };
}

function accessWords({ credential, scope, sandbox }: Access): string {
  const words = (CredentialSchema.value[credential]?.name ?? "").replace(/^CREDENTIAL_/, "").toLowerCase();
  return words + (scope === "" ? "" : `:${scope}`) + (sandbox ? "+sandbox" : "");
}

describe("the running server", () => {
  const app = useTestApp();

  test("serves each of them, and asks for a credential where one is declared", async () => {
    for (const { row, httpMethod, path, credential } of await routes()) {
      const target = path.replaceAll(/\{[^}]*\}/g, "x");
      const response = await fetch(`${app.url}${target}`, { method: httpMethod });
      await response.arrayBuffer();
      if (credential === Credential.NONE) {
        // Without a body: what is asked for is missing, if anything is.
        expect([row, response.status]).not.toEqual([row, 405]);
        expect([row, response.status >= 500]).toEqual([row, false]);
      } else {
        expect([row, response.status]).toEqual([row, 401]);
      }
    }
  });
});
