import type { ExpectedRequests } from "./cases.ts";
import type { SeenRequest } from "./fault-proxy.ts";

/** What is wrong with the requests that the proxy saw of a case; empty if nothing is. */
export function requestProblems(expected: ExpectedRequests, seen: readonly SeenRequest[]): string[] {
  const valuesOf = (header: string) => seen.map(({ headers }) => headers[header]);
  const {
    count = seen.length,
    same = [],
    different = [],
    absent = [],
    headers = {},
    pauses_ms: pauses = [],
  } = expected;
  return [
    ...(seen.length === count ? [] : [`${seen.length} requests were sent, not ${count}`]),
    ...same
      .filter((header) => valuesOf(header).includes(undefined) || new Set(valuesOf(header)).size !== 1)
      .map((header) => `${header} is not the same in all requests: ${valuesOf(header).join(", ")}`),
    ...different
      .filter((header) => new Set(valuesOf(header)).size < seen.length)
      .map((header) => `${header} does not differ: ${valuesOf(header).join(", ")}`),
    ...absent
      .filter((header) => valuesOf(header).some((value) => value !== undefined))
      .map((header) => `${header} was sent`),
    ...Object.entries(headers)
      .filter(([header, pattern]) => !valuesOf(header).every((value) => new RegExp(pattern).test(String(value))))
      .map(([header, pattern]) => `${header} does not match ${pattern}: ${valuesOf(header).join(", ")}`),
    ...pauses.flatMap((pauseMs, index) => {
      const [before, after] = [seen[index]?.atMs ?? 0, seen[index + 1]?.atMs ?? 0];
      // A timer may fire a little early.
      return after - before >= pauseMs - 10
        ? []
        : [`request ${index + 2} came ${Math.round(after - before)} ms after the one before`];
    }),
  ];
}
