import { hash } from "node:crypto";

/**
 * Sets and returns the `ETag` of the content (RFC 9110 §8.8.3), unless the handler set one. It is weak, since the same content may be
 * sent compressed.
 */
export function setETag(content: string | Uint8Array, header: Headers): string {
  const known = header.get("etag");
  if (known !== null) {
    return known;
  }
  const tag = `W/"${hash("sha1", content, "base64url")}"`;
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
