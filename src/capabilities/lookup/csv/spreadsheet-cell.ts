/**
 * A cell that spreadsheets show as text: what they would run as a formula gets an apostrophe (CWE-1236). Numbers are no formulas, with a
 * sign or without, however they are grouped.
 */
export function harmlessCell(text: string): string {
  return /^[=@\t\r]/.test(text) || (/^[+-]/.test(text) && !/^[+-][\d\s().,/-]*$/.test(text)) ? `'${text}` : text;
}
