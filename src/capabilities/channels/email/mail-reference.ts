/** What a mail of ours says of itself, so that a report about it is found: its message in the outbox, and what that is about. */
export interface MailReference {
  /** `dlv_…` */
  readonly deliveryId: string;
  /** Such as a verification: `vrf_…`. */
  readonly subjectId: string;
}

/** The local part of a mail's Message-ID, and its envelope id (RFC 3461). */
export function formatMailReference({ deliveryId, subjectId }: MailReference): string {
  return `${deliveryId}.${subjectId}`;
}

const reference = /^(dlv_[0-9A-Za-z]{22})\.([a-z]{2,4}_[0-9A-Za-z]{22})$/;

/** Reads a reference, or a Message-ID that has one: `<dlv_….vrf_…@acme.example>`. Undefined for those of other programs. */
export function parseMailReference(text: string): MailReference | undefined {
  const [, local = ""] = /^\s*<?([^\s<>@]{1,100})(?:@[^\s<>@]{1,255})?>?\s*$/.exec(text) ?? [];
  const [, deliveryId, subjectId] = reference.exec(local) ?? [];
  return deliveryId === undefined || subjectId === undefined ? undefined : { deliveryId, subjectId };
}
