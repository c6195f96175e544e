/** Which addresses of its domain a mail provider delivers to one mailbox, as documented by it. */
interface MailboxRule {
  /** The domain under which the mailbox is counted. */
  readonly domain: string;
  /** Characters of the local part that the provider ignores. */
  readonly ignored?: RegExp;
}

/** https://support.google.com/mail/answer/7436150: dots do not matter; `googlemail.com` is the same service. */
const gmail: MailboxRule = { domain: "gmail.com", ignored: /\./g };
/** https://support.apple.com/118230: an address at one of the older domains is the same at `icloud.com`. */
const icloud: MailboxRule = { domain: "icloud.com" };
/**
 * https://protonmail.com/support/knowledge-base/change-username: these characters are ignored. Nothing similar is documented
 * about its domains.
 */
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
 * One name for all addresses that reach the same mailbox. Case and a `+tag` are ignored for every provider, other differences
 * where the provider documents them. For limits only: if two people's addresses are folded into one, they share an allowance
 * and nothing else. Takes the local part, and the domain in ASCII.
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

/** The local part in lower case without its `+tag` (RFC 5233). One that is only a tag is kept. */
function withoutTag(local: string): string {
  const folded = local.normalize("NFKC").toLowerCase();
  return folded.split("+", 1)[0] || folded;
}
