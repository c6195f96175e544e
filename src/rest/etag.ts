import { hash } from "node:crypto";

/**
 * A tag of the content (RFC 9110 §8.8.3). Weak, since the same content may be sent compressed. One that a handler set
 * is kept.
 */
export function setETag(bytes: Uint8Array, header: Headers): string {
  const tag = header.get("etag") ?? `W/"${hash("sha1", bytes, "base64url")}"`;
  header.set("etag", tag);
  return tag;
}

/** Whether the value of an `If-None-Match` names the tag (RFC 9110 §13.1.2), so that the client has the content already. */
export function matchesIfNoneMatch(known: string, tag: string): boolean {
  return known.trim() === "*" || known.split(",").some((candidate) => opaque(candidate.trim()) === opaque(tag));
}

/** Weak comparison: only what stands in quotes counts. */
function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
