import type { DescService } from "@bufbuild/protobuf";
import { accessOf } from "../../access/authorize.ts";
import { operationTitle } from "./openapi/titles.ts";

/** What scopes allow, for readers. Scopes of other capabilities have no text. */
const allowed: Readonly<Record<string, string>> = {
  verify: "Start, check, read, resend and cancel verifications, and erase and export recipients.",
  reports: "List verifications, and read reports and the usage.",
  lookup: "Look up phone numbers.",
  email: "Look up email addresses.",
  events: "Read and follow events.",
  templates: "Manage templates.",
  webhooks: "Manage webhooks.",
  guard: "Manage the fraud guard.",
  balance: "Read the balance, what has changed it, and the spend caps.",
  "*": "Every call that takes a key.",
};

export function allowedBy(scope: string): string {
  return allowed[scope] ?? "";
}

/** Of the calls of a scope, the titles of those for which a key has to name it, or `*`: a key without scopes may not make them. */
export interface NamedCalls {
  readonly titles: readonly string[];
  /** Whether these are all calls of the scope. */
  readonly areAll: boolean;
}

/** The scopes of the services' calls, and what a key without scopes may not do with each. */
export function namedCallsByScope(services: readonly DescService[]): ReadonlyMap<string, NamedCalls> {
  const calls = services.flatMap(({ methods }) => methods.map((method) => ({ method, ...accessOf(method) })));
  const scopes = [...new Set(calls.map(({ scope }) => scope).filter((scope) => scope !== ""))];
  return new Map(
    scopes.map((name) => {
      const ofScope = calls.filter(({ scope }) => scope === name);
      const titles = ofScope.filter(({ namedScope }) => namedScope).map(({ method }) => operationTitle(method));
      return [name, { titles, areAll: titles.length === ofScope.length }];
    }),
  );
}

/** What a key without scopes lacks of a scope, in a sentence. Empty: nothing. */
export function namedNote(named: NamedCalls | undefined): string {
  if (named === undefined || named.titles.length === 0) {
    return "";
  }
  return named.areAll
    ? "A key has it only if it names it, or `*`."
    : `Only with a key that names it, or \`*\`: ${named.titles.join(", ")}.`;
}
