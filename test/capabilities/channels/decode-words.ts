const word = /=\?([^?\s]+?)(?:\*[^?\s]*)?\?([bq])\?([^?]*)\?=/gi;

/** What a mail program shows of a header: encoded words decoded (RFC 2047), also those that a lenient one takes for such. */
export function decodeWords(header: string): string {
  // White space between two of them is none, and a character may begin in one and end in the next.
  const joined = header.replace(/\?=\s+=\?/g, "?==?");
  const bytes: Buffer[] = [];
  let end = 0;
  for (const match of joined.matchAll(word)) {
    const [whole, , encoding = "", text = ""] = match;
    bytes.push(Buffer.from(joined.slice(end, match.index)), decode(encoding, text));
    end = match.index + whole.length;
  }
  return Buffer.concat([...bytes, Buffer.from(joined.slice(end))]).toString("utf8");
}

function decode(encoding: string, text: string): Buffer {
  if (encoding.toLowerCase() === "b") {
    return Buffer.from(text, "base64");
  }
  const latin1 = text
    .replace(/_/g, " ")
    .replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, "latin1");
}
