import { createRequire } from "node:module";
import { disposableEmailBlocklist } from "disposable-email-domains-js";

/** Mailboxes of RFC 2142, and others that belong to a task and not to a person. */
const roles: ReadonlySet<string> = new Set([
  ...[
    "info",
    "marketing",
    "sales",
    "support",
    "abuse",
    "noc",
    "security",
    "postmaster",
    "hostmaster",
    "usenet",
    "news",
  ],
  ...["webmaster", "www", "uucp", "ftp", "admin", "administrator", "billing", "contact", "feedback", "hello", "help"],
  ...["helpdesk", "hr", "jobs", "mail", "mailer-daemon", "newsletter", "no-reply", "noreply", "office", "orders"],
  ...["press", "privacy", "root", "service", "team"],
]);

/** Whether a mailbox usually belongs to a task. Takes the part before the `@`; its `+tag` does not count. */
export function isRoleMailbox(local: string): boolean {
  return roles.has(local.toLowerCase().split("+", 1)[0] ?? "");
}

/** The domains of the packages, loaded when first asked for: some 2 MB. */
interface KnownDomains {
  readonly disposable: ReadonlySet<string>;
  readonly freeProviders: ReadonlySet<string>;
}

let known: KnownDomains | undefined;

function knownDomains(): KnownDomains {
  if (known === undefined) {
    const disposable = new Set(disposableEmailBlocklist());
    const providers: readonly string[] = createRequire(import.meta.url)("email-providers/all.json");
    const isOrdinary = (domain: string) =>
      !disposable.has(domain) && !/(^|\.)(example\.(com|net|org)|test)$/.test(domain);
    known = { disposable, freeProviders: new Set(providers.filter(isOrdinary)) };
  }
  return known;
}

/** Whether a domain, in ASCII, or one that it is below of, gives out addresses that are thrown away. */
export function isDisposableDomain(domain: string): boolean {
  const labels = domain.split(".");
  return labels.some(
    (_, index) => index < labels.length - 1 && knownDomains().disposable.has(labels.slice(index).join(".")),
  );
}

/** Whether anybody gets an address at the domain, in ASCII, for free. */
export function isFreeProvider(domain: string): boolean {
  return knownDomains().freeProviders.has(domain);
}
