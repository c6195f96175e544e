import type { Access } from "../../gen/byond/v1/access_pb.ts";
import { AppError, invalidFields } from "../errors.ts";
import type { KeyCaller } from "./caller.ts";

/** How many origins a publishable key may have. */
export const maxOrigins = 20;

/** Requests in any 60 seconds with publishable keys: with one that has no limit of its own, and of one source address. */
export const publishableRequestsPerMinute = { key: 600, source: 60 } as const;

/** The scopes of a publishable key: what would count if nothing asked whether it is one. */
export const publishableScopes: readonly string[] = ["verify"];

/** The hosts that only the machine itself reaches: browsers treat their pages as secure without TLS (W3C Secure Contexts §3.1). */
const isOwnMachine = (hostname: string) => /^(?:(?:.+\.)?localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);

/** An origin as browsers write it (RFC 6454 §6.1), or what is wrong with it. */
function parseOrigin(text: string): { readonly origin: string } | { readonly problem: string } {
  if (!/^https?:\/\/[^\s/?#@*\\]+$/i.test(text) || !URL.canParse(text)) {
    return { problem: "must be an origin without a path, such as https://shop.example" };
  }
  const { protocol, hostname, origin } = new URL(text);
  return protocol === "https:" || isOwnMachine(hostname)
    ? { origin }
    : { problem: "must begin with https://, except for localhost" };
}

/** What is wrong with the origins of a key, by their paths (`origins[3]`), or with the field itself. */
export function originProblems(entries: readonly string[], field: string): Record<string, string> {
  if (entries.length === 0 || entries.length > maxOrigins) {
    return { [field]: `must have between 1 and ${maxOrigins} entries` };
  }
  return Object.fromEntries(
    entries.flatMap((entry, index) => {
      const parsed = parseOrigin(entry);
      return "problem" in parsed ? [[`${field}[${index}]`, parsed.problem]] : [];
    }),
  );
}

/** The origins as they are stored: as browsers write them, without duplicates. Throws `validation_error` with the problems of the entries. */
export function normalizeOrigins(entries: readonly string[], field: string): string[] {
  const problems = originProblems(entries, field);
  if (Object.keys(problems).length > 0) {
    throw invalidFields(problems);
  }
  const parsed = entries.map(parseOrigin);
  return [...new Set(parsed.flatMap((entry) => ("origin" in entry ? [entry.origin] : [])))];
}

/**
 * Passes for a secret key. Throws `secret_key_required` if the key is publishable and the RPC is not for such keys, and
 * `origin_not_allowed` unless the request comes from a page of an origin that the key names. Browsers write an origin in one way only, and
 * nobody else has to be let in: so texts are compared.
 */
export function requirePublishable({ origins }: KeyCaller, { publishable }: Access, header: Headers): void {
  if (origins === null) {
    return;
  }
  if (!publishable) {
    throw new AppError(
      "secret_key_required",
      "A publishable key may only check codes (POST /api/v1/verify/check) and resend them (POST /api/v1/verify/{verification_id}/resend). Call this from your server, with a secret key.",
    );
  }
  const origin = header.get("origin");
  if (origin === null) {
    throw new AppError(
      "origin_not_allowed",
      "A publishable key works in web pages only, and this request has no Origin. On your server, use a secret key.",
    );
  }
  if (!origins.includes(origin)) {
    throw new AppError(
      "origin_not_allowed",
      "This publishable key may not be used by pages of the origin of this request.",
    );
  }
}
