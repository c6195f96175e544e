/** Allowlists of addresses as people write them: an address or a range in every line. */

/** Every address: how the API says that an allowlist restricts nothing. */
export const everyAddress: readonly string[] = ["0.0.0.0/0", "::/0"];

/** The ranges of a text, by lines; commas and spaces separate them, too. */
export function parseIpRanges(text: string): string[] {
  return text.split(/[\s,;]+/).filter((range) => range !== "");
}

/** Whether an allowlist restricts nothing. */
export function allowsEveryAddress(ranges: readonly string[] | undefined): boolean {
  return ranges === undefined || everyAddress.every((range) => ranges.includes(range));
}

/** An allowlist as the text of its field. Empty: every address. */
export function formatIpRanges(ranges: readonly string[] | undefined): string {
  return ranges === undefined || allowsEveryAddress(ranges) ? "" : ranges.join("\n");
}

/**
 * The allowlist to be written for a text: none if it means what is there. An allowlist cannot be taken away, so an empty text becomes every address
 * where there was one.
 */
export function changedIpRanges(text: string, before: readonly string[] | undefined): readonly string[] | undefined {
  const ranges = parseIpRanges(text);
  if (ranges.join(" ") === parseIpRanges(formatIpRanges(before)).join(" ")) {
    return undefined;
  }
  return ranges.length === 0 ? everyAddress : ranges;
}
