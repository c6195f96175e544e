import type { StoredEvent } from "../../events/event-log.ts";
import type { EventObjects } from "../events/event-messages.ts";
import type { ApiKey } from "./api-key.entity.ts";
import { apiKeyMessage } from "./api-key-proto.ts";

type Time = "createdAt" | "expiresAt" | "lastUsedAt" | "revokedAt";

/** The snapshot of an event, as `keys-0002.migration.ts` writes it. Times are milliseconds since 1970. */
type Snapshot = Omit<ApiKey, "id" | "workspaceId" | "mode" | "revision" | Time> & {
  readonly [Name in Time]: Name extends "createdAt" ? number : number | null;
};

/** The keys of events. */
export const keyEvents: EventObjects = {
  kind: "api_key",
  read: async (events) => events.map((event) => ({ case: "apiKey", value: apiKeyMessage(keyOf(event)) })),
};

function keyOf({ subjectId: id, workspaceId, mode, snapshot }: StoredEvent): ApiKey {
  const stored: Snapshot = JSON.parse(snapshot);
  const dateOf = (time: number | null) => (time === null ? null : new Date(time));
  return {
    ...stored,
    id,
    workspaceId,
    mode,
    revision: 0,
    createdAt: new Date(stored.createdAt),
    expiresAt: dateOf(stored.expiresAt),
    lastUsedAt: dateOf(stored.lastUsedAt),
    revokedAt: dateOf(stored.revokedAt),
  };
}
