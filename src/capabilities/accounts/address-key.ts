import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { foldMailbox } from "../../text/fold-mailbox.ts";

type Dependencies = { readonly keyring: Pick<Keyring, "current"> };

/**
 * What an account's address is called in keys of the throttle: what people mistype is nothing to keep. With the current
 * secret alone: its replacement starts these counts anew, once.
 */
export function addressKey({ keyring }: Dependencies, email: string): string {
  return hmacSha256(keyring.current.subkey("account-address"), email).toString("base64url");
}

/** The same for all addresses that reach one mailbox. */
export function mailboxKey(deps: Dependencies, email: string): string {
  const at = email.lastIndexOf("@");
  return addressKey(deps, `mailbox:${foldMailbox(email.slice(0, at), email.slice(at + 1))}`);
}
