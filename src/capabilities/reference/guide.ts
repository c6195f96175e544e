import type { DescService } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { requestsPerMinuteByTier, tiers } from "../../access/tiers.ts";
import { type ErrorCode, errorKinds } from "../../errors.ts";
import { errorCodes, errorGuide } from "./error-guide.ts";
import { allowedBy, type NamedCalls, namedCallsByScope } from "./scopes.ts";

/**
 * The chapters of the guide, in order. Each is a file in `guide/`, and a page at `/docs/guides/`. `/docs` itself has the introduction and
 * the quickstart.
 */
export const chapters: readonly string[] = [
  "authentication",
  "sessions",
  "signed-requests",
  "publishable-keys",
  "verification",
  "lookup",
  "email-lookup",
  "errors",
  "rate-limits",
  "pagination",
  "idempotency",
  "versioning",
  "test-mode",
  "events",
  "webhooks",
  "streams",
  "retention",
  "conventions",
  "grpc",
];

/** The values of the placeholders in the sections. */
export interface GuideFacts {
  readonly origin: string;
  readonly basePath: string;
  /** The API's version. */
  readonly version: string;
  readonly services: readonly DescService[];
}

/** What the placeholders in chapters stand for. */
export function guideValues(facts: GuideFacts): Readonly<Record<string, string>> {
  return {
    origin: facts.origin,
    base: facts.origin + facts.basePath,
    errors: errorTable(`${facts.origin}/docs/errors`),
    tiers: tierTable(),
    scopes: scopeTable(facts.services),
    version: facts.version,
    services: serviceList(facts.services),
  };
}

/** The text of a chapter, with its placeholders filled in. */
export function chapterText(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) {
      throw new TypeError(`the guide names {{${name}}}, which has no value`);
    }
    return value;
  });
}

function errorTable(documentationUrl: string): string {
  const link = (code: ErrorCode) => `[\`${code}\`](${documentationUrl}#${code})`;
  return table(
    ["HTTP", "code", "meaning"],
    errorCodes.map((code) => [String(errorKinds[code].httpStatus), link(code), errorGuide[code].title]),
  );
}

/** gRPC's name of a code: `InvalidArgument` → `invalid_argument`. */
export function rpcCodeName(code: Code): string {
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
}

function tierTable(): string {
  return table(
    ["tier", "requests per rolling 60 seconds"],
    tiers.map((tier) => [`\`${tier}\``, requestsPerMinuteByTier[tier]?.toLocaleString("en") ?? "no limit"]),
  );
}

function scopeTable(services: readonly DescService[]): string {
  const withoutScopes = ({ titles, areAll }: NamedCalls) => {
    const exceptions = titles.length === 0 ? "yes" : `all but: ${titles.join(", ")}`;
    return areAll ? "no" : exceptions;
  };
  // Every call that takes a key is also one of the scope `*`.
  const rows = [...namedCallsByScope(services)].filter(([scope]) => scope !== "*");
  return table(
    ["scope", "allows", "without scopes"],
    [
      ...rows.map(([scope, named]) => [`\`${scope}\``, allowedBy(scope), withoutScopes(named)]),
      ["`*`", allowedBy("*"), "—"],
    ],
  );
}

function serviceList(services: readonly DescService[]): string {
  return services
    .map(({ typeName, methods }) => `- \`${typeName}\`: ${methods.map(({ name }) => `\`${name}\``).join(", ")}`)
    .join("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
