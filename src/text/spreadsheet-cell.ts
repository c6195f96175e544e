/** How a formula begins. Spreadsheets skip blanks, and take full-width signs in some languages (OWASP, CSV injection). */
const formula = /^(\s*[=@＝＠+＋－-]|[\t\r\n])/;
/** Numbers are no formulas, with a sign or without, however they are grouped. */
const signedNumber = /^\s*[+＋－-][\p{Nd}\s().,/-]*$/u;

/** A cell that spreadsheets show as text: what they would run as a formula gets an apostrophe (CWE-1236). */
export function harmlessCell(text: string): string {
  return formula.test(text) && !signedNumber.test(text) ? `'${text}` : text;
}
