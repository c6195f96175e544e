import type { PhoneNumber } from "./numbering-plans.ts";

/**
 * Prefixes of mobile numbers that people and WhatsApp still write, and the number as the library can be asked for it. None of the
 * patterns fits a number of today's plans: those of Mexico have ten digits, and those of Argentina ten, or eleven with the 9.
 */
const prefixes: readonly (readonly [pattern: RegExp, number: string])[] = [
  // Mexico had 1 from abroad, and 044, 045 and 01 at home, until 2019 (IFT). WhatsApp's own spelling still has the 1.
  [/^\+52(?:1|01|04[45])(\d{10})$/, "+52$1"],
  // Argentina has 9 before the area code from abroad, or 15 behind it at home. The library understands the 15, if there is not
  // the 9 as well; with the 9, the 0 of domestic calls may stand before the area code.
  [/^\+5490?(\d{12})$/, "+54$1"],
];

/**
 * The number in the form of the numbering plan, if it is in one of the other forms and the plan has such a number. Otherwise the
 * number itself. `parse` parses a number in E.164 form.
 */
export function ofNumberingPlan(number: PhoneNumber, parse: (e164: string) => PhoneNumber | undefined): PhoneNumber {
  const found = prefixes.find(([pattern]) => pattern.test(number.number));
  if (found === undefined) {
    return number;
  }
  const planned = parse(number.number.replace(...found));
  if (planned === undefined || !planned.isPossible()) {
    return number;
  }
  if (number.ext !== undefined) {
    planned.setExt(number.ext);
  }
  return planned;
}
