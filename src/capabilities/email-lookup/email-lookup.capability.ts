import { EmailService } from "../../../gen/byond/v1/email_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import { emailLookupService } from "./email-lookup.rpc.ts";
import { type EmailLookupSettings, emailLookupSettings, readEmailLookupSettings } from "./email-lookup-settings.ts";
import { type EmailLookups, lookUpEmail } from "./look-up-email.ts";
import { type MailDomain, MailDomains } from "./mail-domains.ts";

const neverAsked = { find: async (): Promise<MailDomain> => ({ status: "unknown", mailServer: undefined }) };

/** Looks up email addresses: their form, and whether their domains take mail. */
export function emailLookupCapability() {
  const offer = new Offer<EmailLookups>("email-lookup");
  const capability: Capability<EmailLookupSettings> = {
    name: "email-lookup",
    scopes: ["email"],
    settings: [emailLookupSettings],
    readSettings: readEmailLookupSettings,
    start({ clock }, { emailDns: { isOn, servers } }) {
      const domains = isOn ? new MailDomains({ clock, servers }) : undefined;
      offer.give({ lookUp: (text, workspaceId) => lookUpEmail(domains ?? neverAsked, text, workspaceId) });
      return {
        services: [
          {
            binding: bindService(EmailService, emailLookupService(domains ?? neverAsked)),
            shed: { lookupEmail: "first" },
          },
        ],
        close: () => domains?.close(),
      };
    },
  };
  return { ...capability, offer };
}
