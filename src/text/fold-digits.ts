/** Cache: each digit seen so far, with its ASCII digit. Unicode has some 760. */
const asciiDigits = new Map<string, string>();

/**
 * Replaces the digits of all scripts (Unicode's Nd) by ASCII digits and removes format characters (Cf). Keyboards write the
 * former; the latter, such as direction marks, come along unseen when a number or a code is copied.
 */
export function foldDigits(text: string): string {
  return text.replace(/\p{Cf}/gu, "").replace(/(?![0-9])\p{Nd}/gu, asciiDigit);
}

/** Unicode encodes decimal digits in ascending runs of ten, some next to each other (The Unicode Standard, §4.6). */
function asciiDigit(digit: string): string {
  let ascii = asciiDigits.get(digit);
  if (ascii === undefined) {
    const codePoint = digit.codePointAt(0) ?? 0;
    let first = codePoint;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) {
      first -= 1;
    }
    ascii = String((codePoint - first) % 10);
    asciiDigits.set(digit, ascii);
  }
  return ascii;
}
