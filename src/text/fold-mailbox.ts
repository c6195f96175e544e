/** What a mail provider documents about addresses of its domain that reach one mailbox. */
interface MailboxRule {
  /** The domain under which the mailbox is counted. */
  readonly domain: string;
  /** Characters of the local part that the provider ignores. */
  readonly ignored?: RegExp;
}

/** https://support.google.com/mail/answer/7436150: dots do not matter; `googlemail.com` is the same service. */
const gmail: MailboxRule = { domain: "gmail.com", ignored: /\./g };
/** https://support.apple.com/118230: who has an address at one of the older domains has the same at `icloud.com`. */
const icloud: MailboxRule = { domain: "icloud.com" };
/** https://protonmail.com/support/knowledge-base/change-username: these characters are transparent. Of its domains nothing of the kind is promised. */
const proton = (domain: string): MailboxRule => ({ domain, ignored: /[._-]/g });

const rules: ReadonlyMap<string, MailboxRule> = new Map([
  ["gmail.com", gmail],
  ["googlemail.com", gmail],
  ["icloud.com", icloud],
  ["me.com", icloud],
  ["mac.com", icloud],
  ...["proton.me", "protonmail.com", "protonmail.ch", "pm.me"].map((domain) => [domain, proton(domain)] as const),
]);

/** https://www.fastmail.help/hc/en-us/articles/360060591053: `anything@user.fastmail.com` reaches `user@fastmail.com`. */
const fastmailSubdomain = /^([^.]+)\.(fastmail\.(?:com|fm))$/;

/**
 * One name for the addresses that reach one mailbox: upper and lower case and a `+tag` are taken to make no difference
 * anywhere, and what else does not where the provider documents it. For limits only: two addresses that are folded although
 * they are of two people share an allowance, and nothing else. Takes the local part and the domain in ASCII.
 */
export function foldMailbox(local: string, domain: string): string {
  const mailbox = withoutTag(local);
  const [, user, provider] = fastmailSubdomain.exec(domain) ?? [];
  if (user !== undefined && provider !== undefined) {
    return `${user}@${provider}`;
  }
  const rule = rules.get(domain);
  if (rule === undefined) {
    return `${mailbox}@${domain}`;
  }
  const bare = rule.ignored === undefined ? mailbox : mailbox.replace(rule.ignored, "");
  return `${bare || mailbox}@${rule.domain}`;
}

/** The local part in lower case without its `+tag` (RFC 5233). One that is nothing but a tag stays as it is. */
function withoutTag(local: string): string {
  const folded = local.normalize("NFKC").toLowerCase();
  return folded.split("+", 1)[0] || folded;
}
