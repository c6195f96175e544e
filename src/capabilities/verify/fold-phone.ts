/** Forms of a number that reach one phone, each with the form that it is counted under. */
const spellings: readonly (readonly [pattern: RegExp, counted: string])[] = [
  // Mexico dropped the 1 before mobile numbers in 2019; WhatsApp still knows older accounts by it.
  [/^\+521(\d{10})$/, "+52$1"],
  // Argentina: 9 stands before the area code of a mobile number that is called from abroad. Without it the ten digits are
  // the same line: fixed and mobile lines share one numbering plan.
  [/^\+549(\d{10})$/, "+54$1"],
  // Brazil put a 9 before the eight digits of mobile numbers (Anatel, 2010 to 2016), which began with 6 to 9; WhatsApp
  // still knows older accounts by eight. Fixed lines have eight digits that begin with 2 to 5.
  [/^\+55(\d{2})9([6-9]\d{7})$/, "+55$1$2"],
];

/** One E.164 number for all forms that reach one phone. For limits only: it need not be a number that can be called. */
export function foldPhone(e164: string): string {
  for (const [pattern, counted] of spellings) {
    if (pattern.test(e164)) {
      return e164.replace(pattern, counted);
    }
  }
  return e164;
}
