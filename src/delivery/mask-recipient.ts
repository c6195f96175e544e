/**
 * A recipient as logs and answers may show it: `+65••••4567`, `j•••@example.com`. The number of dots tells nothing about
 * the length of an address; of a number, the country code's digits and the last four are left.
 */
export function maskRecipient(recipient: string): string {
  const at = recipient.lastIndexOf("@");
  if (at >= 0) {
    const [first = ""] = recipient.slice(0, at);
    return `${first}•••${recipient.slice(at)}`;
  }
  // A short number keeps fewer digits: at least half of them are hidden.
  const shown = Math.min(4, Math.max(0, Math.floor((recipient.length - 3) / 3)));
  return `${recipient.slice(0, 3)}••••${shown === 0 ? "" : recipient.slice(-shown)}`;
}
