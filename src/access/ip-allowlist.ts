import { AppError, invalidFields } from "../errors.ts";
import { formatIpRange, type IpRange, includesAddress, parseIpAddress, parseIpRange } from "../server/ip-range.ts";

/** How many entries an allowlist may have. */
export const maxAllowlistEntries = 100;

/** What is wrong with the entries of an allowlist, by their paths (`ip_allowlist[3]`), or with the field itself. */
export function ipAllowlistProblems(entries: readonly string[], field: string): Record<string, string> {
  if (entries.length === 0 || entries.length > maxAllowlistEntries) {
    return { [field]: `must have between 1 and ${maxAllowlistEntries} entries` };
  }
  return Object.fromEntries(
    entries.flatMap((entry, index) => {
      const range = parseIpRange(entry.trim());
      return typeof range === "string" ? [[`${field}[${index}]`, range]] : [];
    }),
  );
}

/**
 * The entries of an allowlist as they are stored: in canonical notation, without duplicates. Throws `validation_error` with the
 * problems of the entries.
 */
export function normalizeIpAllowlist(entries: readonly string[], field: string): string[] {
  const problems = ipAllowlistProblems(entries, field);
  if (Object.keys(problems).length > 0) {
    throw invalidFields(problems);
  }
  const ranges = entries.map((entry) => parseIpRange(entry.trim())).filter((range) => typeof range !== "string");
  return [...new Set(ranges.map(formatIpRange))];
}

/** A parsed allowlist. Built once per credential, not once per request. */
export interface IpAllowlist {
  includes(clientAddress: string | undefined): boolean;
}

/** Parses a stored allowlist. Throws if `normalizeIpAllowlist` cannot have returned it. */
export function compileIpAllowlist(entries: readonly string[]): IpAllowlist {
  const ranges: IpRange[] = entries.map((entry) => {
    const range = parseIpRange(entry);
    if (typeof range === "string") {
      throw new TypeError(`the stored allowlist entry "${entry}" ${range}`);
    }
    return range;
  });
  return {
    includes(clientAddress) {
      const address = parseIpAddress(clientAddress ?? "");
      return address !== undefined && ranges.some((range) => includesAddress(range, address));
    },
  };
}

/**
 * Passes if every allowlist includes the client's address; null is no restriction. Throws `ip_not_allowed` otherwise, and
 * whenever there is an allowlist and the address is unknown.
 */
export function requireAllowedAddress(
  allowlists: readonly (IpAllowlist | null)[],
  clientAddress: string | undefined,
): void {
  if (allowlists.every((allowlist) => allowlist === null || allowlist.includes(clientAddress))) {
    return;
  }
  throw new AppError(
    "ip_not_allowed",
    clientAddress === undefined
      ? "This credential is restricted to certain IP addresses, and the IP address of this request is unknown."
      : `This credential may not be used from the IP address ${clientAddress}.`,
  );
}
