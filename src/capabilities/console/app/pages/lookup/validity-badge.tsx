import type { LookupNumberResponse } from "#gen/byond/v1/lookup_pb.ts";
import { StatusBadge } from "../../components/status-badge.tsx";
import { reasonText } from "./lookup-words.ts";

/** Whether a number is valid, or why it is not. */
export function ValidityBadge({ lookup }: { readonly lookup: LookupNumberResponse }) {
  return lookup.valid ? (
    <StatusBadge tone="good">Valid</StatusBadge>
  ) : (
    <StatusBadge tone="bad">{reasonText(lookup)}</StatusBadge>
  );
}
