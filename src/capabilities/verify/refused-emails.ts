import { RefusedEmail, type StartVerificationRequest } from "../../../gen/byond/v1/verify_pb.ts";
import { invalidFields } from "../../errors.ts";
import type { EmailLookup, EmailLookups } from "../email-lookup/look-up-email.ts";

type ValidEmail = Extract<EmailLookup, { readonly valid: true }>;

/** What is said of an address of the kind. Undefined: it is none. */
const problems: Readonly<Record<RefusedEmail, (email: ValidEmail) => string | undefined>> = {
  [RefusedEmail.UNSPECIFIED]: () => undefined,
  [RefusedEmail.NO_MAIL]: ({ mailDomain: { status } }) =>
    status === "no_mail" || status === "not_found" ? "is at a domain that takes no mail" : undefined,
  [RefusedEmail.DISPOSABLE]: ({ isDisposable }) =>
    isDisposable ? "is at a domain for addresses that are thrown away" : undefined,
  [RefusedEmail.ROLE]: ({ isRole }) => (isRole ? "belongs to a task and not to a person" : undefined),
};

/**
 * Throws `validation_error` if an address of a start, or of its fallback, is of a kind that the call refuses. Asks the domain name system only for
 * calls that refuse something.
 */
export async function refuseEmails(
  emails: EmailLookups,
  { recipient, fallback, refuse }: Pick<StartVerificationRequest, "recipient" | "fallback" | "refuse">,
  workspaceId: string,
): Promise<void> {
  if (refuse.length === 0) {
    return;
  }
  const steps = fallback.map((step, index) => [`fallback[${index}].recipient`, step.recipient ?? ""] as const);
  for (const [field, text] of [["recipient", recipient] as const, ...steps]) {
    const email = text.includes("@") ? await emails.lookUp(text, workspaceId) : undefined;
    const problem = email?.valid ? refuse.map((kind) => problems[kind]?.(email)).find((found) => found) : undefined;
    if (problem !== undefined) {
      throw invalidFields({ [field]: problem });
    }
  }
}
