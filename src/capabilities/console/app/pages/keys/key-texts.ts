/** What the state and the restrictions of a key are called. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ApiKey, Mode, SignatureVersion } from "#gen/byond/v1/api_key_pb.ts";
import type { ModeName } from "../../api/mode.ts";
import { allowsEveryAddress } from "../../components/ip-ranges.ts";

export type KeyStatus = "active" | "expired" | "revoked";

export function statusOf({ revokedAt, expiresAt }: ApiKey): KeyStatus {
  if (revokedAt !== undefined) {
    return "revoked";
  }
  return expiresAt !== undefined && timestampMs(expiresAt) <= Date.now() ? "expired" : "active";
}

export function modeNameOf(mode: Mode): ModeName {
  return mode === Mode.TEST ? "test" : "live";
}

/** The scopes that a key can be given one by one. */
export const scopeWords: readonly (readonly [scope: string, words: string])[] = [
  ["verify", "Start, check, resend and cancel verifications; erase and export recipients"],
  ["lookup", "Look up phone numbers"],
  ["email", "Look up email addresses"],
  ["reports", "List verifications, and read reports and the usage"],
  ["events", "Read and stream events"],
  ["guard", "Manage the fraud guard"],
  ["templates", "Manage templates"],
  ["webhooks", "Manage webhooks"],
  ["balance", "Read the balance and the spend caps"],
];

/** "verify, lookup"; what a key without scopes may do is not all. */
export function scopesText({ scopes, origins }: Pick<ApiKey, "scopes" | "origins">): string {
  if (origins !== undefined) {
    return "Publishable: check and resend";
  }
  if (scopes === undefined) {
    return "All that need no named scope";
  }
  return scopes.scopes.includes("*") ? "All" : scopes.scopes.join(", ");
}

export function addressesText({ ipAllowlist }: Pick<ApiKey, "ipAllowlist">): string {
  return ipAllowlist === undefined || allowsEveryAddress(ipAllowlist.ranges)
    ? "Every address"
    : ipAllowlist.ranges.join(", ");
}

export function limitText({ requestsPerMinute, origins }: Pick<ApiKey, "requestsPerMinute" | "origins">): string {
  if (requestsPerMinute === undefined && origins !== undefined) {
    return "600 a minute, and 60 from each address";
  }
  return requestsPerMinute === undefined
    ? "The workspace’s"
    : `${new Intl.NumberFormat().format(requestsPerMinute)} a minute`;
}

export function signatureText({
  requireSignature,
  minSignatureVersion,
}: Pick<ApiKey, "requireSignature" | "minSignatureVersion">): string {
  if (!requireSignature) {
    return "Not required";
  }
  return minSignatureVersion === SignatureVersion.V2 ? "Required, v2" : "Required, v1 or v2";
}
