/**
 * Decodes percent-encoding (RFC 3986 §2.1). `undefined` if it is not valid, or not UTF-8.
 */
export function percentDecode(text: string): string | undefined {
  if (!text.includes("%")) {
    return text;
  }
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Decodes a value that spans several segments. `%2F` stays as it is, so that a slash inside a segment can be told from
 * one between segments (google/api/http.proto, on `{var=**}`).
 */
export function percentDecodeKeepingSlashes(text: string): string | undefined {
  if (!text.includes("%")) {
    return text;
  }
  const parts = text.split(/(%2[Ff])/);
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 0) {
      const decoded = percentDecode(part);
      if (decoded === undefined) {
        return undefined;
      }
      parts[index] = decoded;
    }
  }
  return parts.join("");
}
