/**
 * A recipient as logs and answers may show it: `+65••••4567`, `j•••@example.com`. The number of dots tells nothing about
 * the length. Of a number, at least three digits are hidden: a short one shows fewer at its end.
 */
export function maskRecipient(recipient: string): string {
  const at = recipient.lastIndexOf("@");
  if (at >= 0) {
    const [first = ""] = recipient.slice(0, at);
    return `${first}•••${recipient.slice(at)}`;
  }
  const shown = recipient.length >= 11 ? 4 : recipient.length >= 8 ? 2 : 0;
  return `${recipient.slice(0, 3)}••••${recipient.slice(recipient.length - shown)}`;
}
