/**
 * Numbers that WhatsApp spells otherwise than the numbering plan (faq.whatsapp.com/1294841057948784): all of Mexico have a 1
 * after the country code, and all of Argentina a 9.
 *
 * Not Brazil: accounts from before the ninth digit have numbers without it, newer ones with it, and the plan does not tell which.
 * The Cloud API finds the account for either ("For Brazil and Mexico, the extra added prefix of the phone number may be modified
 * by the Cloud API"), so the plan's number is sent.
 */
const spellings: readonly (readonly [pattern: RegExp, spelling: string])[] = [
  [/^\+52(\d{10})$/, "+521$1"],
  [/^\+54(\d{10})$/, "+549$1"],
];

/** A number in E.164 form as WhatsApp spells it. */
export function whatsappNumber(e164: string): string {
  const found = spellings.find(([pattern]) => pattern.test(e164));
  return found === undefined ? e164 : e164.replace(...found);
}
