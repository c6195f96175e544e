/**
 * The enhanced status codes (RFC 3463) that say that there is no such mailbox: it does not exist (5.1.1), its domain does not (5.1.2), its
 * address is malformed there (5.1.3), it has moved (5.1.6), or its domain takes no mail (5.1.10, RFC 7505).
 *
 * Not 5.2.1, a disabled mailbox: Gmail also answers it for a user who receives too much mail, so that flooding somebody would keep codes from
 * them. Not 5.2.2 (full), nor 5.7.x, which are refusals by policy and may concern the sender.
 */
const undeliverable: ReadonlySet<string> = new Set(["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"]);

/** Whether a status says that no mail to this address can be delivered. */
export function isUndeliverableStatus(status: string): boolean {
  return undeliverable.has(status);
}
