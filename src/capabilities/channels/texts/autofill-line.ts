import type { CodeMessage } from "../outgoing-message.ts";

/**
 * The last line of a text, which binds the code to a domain, so that browsers and phones fill it in there (WICG, "Origin-bound one-time
 * codes"). Undefined: the start named no domain.
 */
export function autofillLine({ autofillDomain, code }: CodeMessage): string | undefined {
  return autofillDomain === undefined ? undefined : `@${autofillDomain} #${code}`;
}
