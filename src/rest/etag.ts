import { hash } from "node:crypto";

/**
 * Sets and returns the `ETag` of the content (RFC 9110 §8.8.3), unless the handler set one. It is weak, since the same content may be
 * sent compressed.
 */
export function setETag(bytes: Uint8Array, header: Headers): string {
  const tag = header.get("etag") ?? `W/"${hash("sha1", bytes, "base64url")}"`;
  header.set("etag", tag);
  return tag;
}

/** Whether `If-None-Match` lists the tag (RFC 9110 §13.1.2): the client has the content already. */
export function matchesIfNoneMatch(ifNoneMatch: string, tag: string): boolean {
  return (
    ifNoneMatch.trim() === "*" ||
    ifNoneMatch.split(",").some((candidate) => opaqueTag(candidate.trim()) === opaqueTag(tag))
  );
}

/** The part that the weak comparison looks at: without `W/`. */
function opaqueTag(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
