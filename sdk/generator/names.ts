/**
 * How services and RPCs are called in the SDKs. By rule:
 *
 * - A service is its name without `Service`, in the plural if it lists what it is named after: `WebhookService` is `webhooks`.
 * - A method is the RPC's name without the noun of its service: `ListWebhookDeliveries` is `list_deliveries`, `StartVerification` is `start`.
 *
 * The tables are for what does not read well by the rule. A new service needs no entry.
 */
const services: Readonly<Record<string, { readonly name?: string; readonly noun?: string }>> = {
  ApiKeyService: { name: "keys" },
  AuthService: { noun: "Session" },
  LookupService: { name: "lookup" },
  RecipientService: { name: "recipients" },
  ReportService: { name: "reports" },
  VerifyService: { noun: "Verification" },
};

const methods: Readonly<Record<string, string>> = {
  EraseRecipient: "erase",
  GetMe: "me",
  GetOverview: "overview",
  GetVerificationReport: "verifications",
  GetUsage: "usage",
  ResendCode: "resend",
};

/** The member of the client, in snake_case. */
export function serviceName(service: string, rpcNames: readonly string[]): string {
  const bare = service.replace(/Service$/, "");
  const name = rpcNames.includes(`List${plural(bare)}`) ? plural(bare) : bare;
  return services[service]?.name ?? snakeCase(name);
}

/** The method of a service, in snake_case. */
export function methodName(service: string, rpcName: string): string {
  const noun = services[service]?.noun ?? service.replace(/Service$/, "");
  const bare = rpcName.replace(new RegExp(`(?:${plural(noun)}|${noun})(?![a-z])`), "");
  return methods[rpcName] ?? snakeCase(bare === "" ? rpcName : bare);
}

/** `RotateSecret` → `rotate_secret`. */
export function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();
}

/** `rotate_secret` → `RotateSecret`. */
export function pascalCase(name: string): string {
  return name
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** `rotate_secret` → `rotateSecret`. */
export function camelCase(name: string): string {
  const pascal = pascalCase(name);
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
}

function plural(noun: string): string {
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}
