import type { ServiceImpl } from "@connectrpc/connect";
import { EmailProblem, type EmailService, MailDomainStatus } from "../../../gen/byond/v1/email_pb.ts";
import { anyCaller } from "../../access/caller.ts";
import type { MailAddressProblem } from "../../text/mail-address.ts";
import { lookUpEmail } from "./look-up-email.ts";
import type { MailDomain, MailDomains } from "./mail-domains.ts";

const problems = {
  no_at_sign: EmailProblem.NO_AT_SIGN,
  too_long: EmailProblem.TOO_LONG,
  invalid_local_part: EmailProblem.INVALID_LOCAL_PART,
  invalid_domain: EmailProblem.INVALID_DOMAIN,
} as const satisfies Record<MailAddressProblem, EmailProblem>;

const statuses = {
  accepts_mail: MailDomainStatus.ACCEPTS_MAIL,
  no_mail: MailDomainStatus.NO_MAIL,
  not_found: MailDomainStatus.NOT_FOUND,
  unknown: MailDomainStatus.UNKNOWN,
} as const satisfies Record<MailDomain["status"], MailDomainStatus>;

/** Translates between the messages of EmailService and its operation. */
export function emailLookupService(domains: Pick<MailDomains, "find">): ServiceImpl<typeof EmailService> {
  return {
    async lookupEmail({ email: input }, context) {
      const found = await lookUpEmail(domains, input, anyCaller(context).workspaceId);
      if (!found.valid) {
        return { input, reason: problems[found.reason], domainStatus: MailDomainStatus.UNKNOWN };
      }
      const { mailDomain, suggestion } = found;
      return {
        input,
        valid: true,
        email: found.email,
        domain: found.domain,
        domainStatus: statuses[mailDomain.status],
        ...(mailDomain.mailServer === undefined ? {} : { mailServer: mailDomain.mailServer }),
        needsSmtputf8: found.needsSmtpUtf8,
        role: found.isRole,
        freeProvider: found.isFreeProvider,
        disposable: found.isDisposable,
        ...(suggestion === undefined ? {} : { suggestion }),
      };
    },
  };
}
