import { createHash } from "node:crypto";
import { messageIdOf } from "../http/http-post.ts";

/**
 * WhatsApp's id of a message as it is kept: `wamid-sha256:` and the SHA-256 of it in base64url. The id itself holds the
 * number of the recipient, in Base64; with the random part that it also holds, nobody finds the number by trying.
 * Undefined if it is not an id.
 */
export function whatsappMessageId(value: unknown): string | undefined {
  const id = messageIdOf(value);
  return id === undefined ? undefined : `wamid-sha256:${createHash("sha256").update(id).digest("base64url")}`;
}
