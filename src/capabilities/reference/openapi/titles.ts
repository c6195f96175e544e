import type { DescMethod, DescService } from "@bufbuild/protobuf";

/** Titles of operations whose RPC name does not read well. */
const titles: Readonly<Record<string, string>> = {
  StartVerification: "Start a verification",
  CheckVerification: "Check a code",
  GetVerification: "Get a verification",
  ResendCode: "Resend a code",
  CancelVerification: "Cancel a verification",
  EraseRecipient: "Erase a recipient",
  ExportRecipient: "Export a recipient",
  DeleteSuppression: "End a suppression",
  GetGuard: "Get the settings of the guard",
  UpdateGuard: "Change the settings of the guard",
  ListGuardBlocks: "List blocked ranges",
  DeleteGuardBlock: "End a block",
  ListSafeListEntries: "List the safe list",
  AddSafeListEntry: "Add to the safe list",
  DeleteSafeListEntry: "Take off the safe list",
  GetGuardReport: "Get a report of refusals",
  GetBalance: "Get the balance",
  ListBalanceEntries: "List changes of the balance",
  ListSpendCaps: "List spend caps",
  SetSpendCap: "Set a spend cap",
  DeleteSpendCap: "Remove a spend cap",
  GetTemplate: "Get a template",
  PutTemplate: "Set a template",
  DeleteTemplate: "Delete a template",
  PreviewTemplate: "Preview a template",
  LookupNumber: "Look up a number",
  BatchLookup: "Look up many numbers",
  ListLookups: "List the lookups of the history",
  GetLookup: "Get a lookup",
  LookupEmail: "Look up an email address",
  GetEvent: "Get an event",
  StreamEvents: "Stream events",
  CreateWebhook: "Create a webhook",
  GetWebhook: "Get a webhook",
  UpdateWebhook: "Update a webhook",
  DeleteWebhook: "Delete a webhook",
  RotateWebhookSecret: "Rotate a webhook secret",
  TestWebhook: "Test a webhook",
  ListWebhookDeliveries: "List webhook deliveries",
  RedeliverWebhook: "Redeliver an event",
  CreateFixedCode: "Create a fixed code",
  DeleteFixedCode: "Delete a fixed code",
  GetOverview: "Get an overview",
  GetVerificationReport: "Get a report of verifications",
  GetUsage: "Get usage",
  CreateApiKey: "Create an API key",
  GetApiKey: "Get an API key",
  UpdateApiKey: "Update an API key",
  RotateApiKey: "Rotate an API key",
  RevokeApiKey: "Revoke an API key",
  RefreshSession: "Refresh a session",
  GetMe: "Get the current user",
  LogoutAll: "End all sessions",
  ChangePassword: "Change the password",
  StartPasswordReset: "Reset a forgotten password",
  ConfirmPasswordReset: "Set the new password",
  StartEmailVerification: "Verify the email address",
  CheckEmailVerification: "Check the email address code",
  GetWorkspace: "Get the workspace",
  UpdateWorkspace: "Update the workspace",
  DeleteAccount: "Delete the account",
};

/** Groups of operations in the order of the reference; others follow by name. */
const groups = new Map([
  ["VerifyService", "Verify"],
  ["SuppressionService", "Suppressions"],
  ["RecipientService", "Recipients"],
  ["GuardService", "Fraud guard"],
  ["TemplateService", "Templates"],
  ["LookupService", "Lookup"],
  ["EmailService", "Email lookup"],
  ["EventService", "Events"],
  ["WebhookService", "Webhooks"],
  ["BalanceService", "Balance"],
  ["ReportService", "Reports"],
  ["FixedCodeService", "Fixed codes"],
  ["ApiKeyService", "API keys"],
  ["AuthService", "Accounts and sessions"],
]);

/** The title of an operation: a few words, for lists. */
export function operationTitle({ name }: DescMethod): string {
  return titles[name] ?? words(name);
}

/** The title of a group of operations. */
export function groupTitle({ name }: DescService): string {
  return groups.get(name) ?? words(name.replace(/Service$/, ""));
}

/** Compares services by their order in the reference. */
export function byGroup(one: DescService, other: DescService): number {
  return rankOf(one) - rankOf(other) || one.name.localeCompare(other.name);
}

function rankOf({ name }: DescService): number {
  const rank = [...groups.keys()].indexOf(name);
  return rank === -1 ? groups.size : rank;
}

/** `ListApiKeys` → `List API keys`. */
function words(name: string): string {
  const [first = "", ...others] = name.split(/(?<=[a-z0-9])(?=[A-Z])/);
  return [first, ...others.map((word) => (word === "Api" ? "API" : word.toLowerCase()))].join(" ");
}
