import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ApiKey } from "#gen/byond/v1/api_key_pb.ts";
import { StatusBadge } from "../../components/status-badge.tsx";
import { statusOf } from "./key-texts.ts";

/** A key that expires within this time is marked. */
const soonMs = 7 * 86_400_000;

export function KeyStatusBadge({ apiKey }: { readonly apiKey: ApiKey }) {
  switch (statusOf(apiKey)) {
    case "revoked":
      return <StatusBadge tone="bad">Revoked</StatusBadge>;
    case "expired":
      return <StatusBadge>Expired</StatusBadge>;
    case "active":
      return apiKey.expiresAt !== undefined && timestampMs(apiKey.expiresAt) - Date.now() < soonMs ? (
        <StatusBadge tone="warn">Expires soon</StatusBadge>
      ) : (
        <StatusBadge tone="good">Active</StatusBadge>
      );
  }
}
