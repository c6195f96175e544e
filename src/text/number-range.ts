/**
 * The calling codes of the ITU (E.164, annex to Operational Bulletin 930): no code begins another one. In North America, and in Russia and
 * Kazakhstan, countries share a code, and the digits that follow tell them apart: they count as part of it. `guard-0002.migration.ts` has the
 * same pattern; PostgreSQL takes the longest alternative that matches, so that at most one may.
 */
const callingCode =
  /^\+(?:1\d{3}|7\d|2[07]|2[1-689]\d|3[0-469]|3[578]\d|4[013-9]|42\d|5[1-8]|5[09]\d|6[0-6]|6[7-9]\d|8[1246]|8[035789]\d|9[0-58]|9[679]\d)/;

/** National digits of a range. */
const rangeDigits = 4;

/** Digits at the end that no range has: a range tells nobody's number. */
const cutDigits = 5;

/**
 * The range that a number in E.164 form belongs to: its calling code and the digits that follow, as `+2348031x`. Operators get numbers in
 * such ranges, and so does who pumps traffic.
 */
export function numberRange(e164: string): string {
  const code = callingCode.exec(e164)?.[0] ?? "+";
  const isShared = code.startsWith("+1") || code.startsWith("+7");
  const length = (isShared ? 2 : code.length) + rangeDigits;
  return `${e164.slice(0, Math.max(code.length, Math.min(length, e164.length - cutDigits)))}x`;
}

/** The range of all numbers of a calling code, as `+234x`. */
export function countryRange(e164: string): string {
  return `${callingCode.exec(e164)?.[0] ?? "+"}x`;
}
