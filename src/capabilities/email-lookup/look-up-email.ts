import { exactLocal, type MailAddressProblem, readMailAddress } from "../../text/mail-address.ts";
import { isDisposableDomain, isFreeProvider, isRoleMailbox } from "./known-mailboxes.ts";
import type { MailDomain, MailDomains } from "./mail-domains.ts";
import { suggestDomain } from "./suggest-domain.ts";

/** What is known of an address. */
export type EmailLookup =
  | { readonly valid: false; readonly reason: MailAddressProblem }
  | {
      readonly valid: true;
      /** As addresses are compared. */
      readonly email: string;
      /** In ASCII. */
      readonly domain: string;
      readonly mailDomain: MailDomain;
      readonly needsSmtpUtf8: boolean;
      readonly isRole: boolean;
      readonly isFreeProvider: boolean;
      readonly isDisposable: boolean;
      /** The address that was probably meant. */
      readonly suggestion: string | undefined;
    };

/** What this capability offers to others. */
export interface EmailLookups {
  /** Looks an address up for a workspace. Never rejects. */
  lookUp(text: string, workspaceId: string): Promise<EmailLookup>;
}

/** Looks an address up. Nothing is sent to it, and no mail server is asked. Never rejects. */
export async function lookUpEmail(
  domains: Pick<MailDomains, "find">,
  text: string,
  workspaceId: string,
): Promise<EmailLookup> {
  const address = readMailAddress(text);
  if (typeof address === "string") {
    return { valid: false, reason: address };
  }
  const { domain } = address;
  const local = exactLocal(address.local);
  const suggested = suggestDomain(domain);
  return {
    valid: true,
    email: `${local}@${domain}`,
    domain,
    mailDomain: await domains.find(domain, workspaceId),
    needsSmtpUtf8: /[^\x20-\x7e]/.test(local),
    isRole: isRoleMailbox(local),
    isFreeProvider: isFreeProvider(domain),
    isDisposable: isDisposableDomain(domain),
    suggestion: suggested === undefined ? undefined : `${local}@${suggested}`,
  };
}
