/** How a formula begins. Spreadsheets skip blanks, and take full-width signs in some languages (OWASP, CSV injection). */
const formula = /^(\s*[=@＝＠+＋－-]|[\t\r\n])/;
/** Numbers are no formulas, with a sign or without, however they are grouped. */
const signedNumber = /^\s*[+＋－-][\p{Nd}\s().,/-]*[";|]*$/u;

/** A spreadsheet that takes another separator than the file has begins a cell after any of these. It takes no quotation marks there for those of the cell. */
const afterSeparator = /(?<=[,;\t|\r\n])/;

/** A cell that spreadsheets show as text: what they would run as a formula gets an apostrophe (CWE-1236). */
export function harmlessCell(text: string): string {
  const [first = "", ...others] = text.split(afterSeparator);
  return [
    isFormula(text) ? `'${first}` : first,
    ...others.map((part) => (isFormula(part.replace(/^["\s]+/, "")) ? `'${part}` : part)),
  ].join("");
}

const isFormula = (part: string) => formula.test(part) && !signedNumber.test(part);
