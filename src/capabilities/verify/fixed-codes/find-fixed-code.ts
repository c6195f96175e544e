import type { Mode } from "../../../access/caller.ts";
import type { Keyring } from "../../../crypto/keyring.ts";
import type { Queryable } from "../../../database/database.ts";
import { array, statement, text } from "../../../database/statement.ts";
import type { ChannelName } from "../../channels/outgoing-message.ts";
import { exactIndexes, parseRecipient } from "../recipient.ts";

/** The fixed code of a recipient, as a start needs it. */
export interface HeldFixedCode {
  readonly id: string;
  readonly codeLength: number;
  /** The master secret that the code is derived from. */
  readonly secretId: string;
}

const find = statement<HeldFixedCode>("find_fixed_code")(
  { workspaceId: text, recipientIndexes: array(text), knownSecrets: array(text) },
  (p) => `
    SELECT id, code_length, secret_id FROM fixed_code
    WHERE workspace_id = ${p.workspaceId} AND recipient_index = ANY (${p.recipientIndexes}) AND expires_at > byond_now()
      AND secret_id = ANY (${p.knownSecrets})`,
);

/** The fixed code of a start's recipient. Undefined: it has none, or none that this server could derive, or the mode is the sandbox. */
export async function fixedCodeOf(
  { database, keyring }: { readonly database: Queryable; readonly keyring: Keyring },
  { workspaceId, mode }: { readonly workspaceId: string; readonly mode: Mode },
  input: { readonly channel: ChannelName; readonly recipient: string },
): Promise<HeldFixedCode | undefined> {
  const recipient = parseRecipient(input.channel, input.recipient);
  if (mode !== "live" || "problem" in recipient) {
    return undefined;
  }
  const [found] = await database.run(find, {
    workspaceId,
    recipientIndexes: exactIndexes(keyring, recipient),
    knownSecrets: keyring.all.map(({ id }) => id),
  });
  return found;
}
