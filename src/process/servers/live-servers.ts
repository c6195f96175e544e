import { statement } from "../../database/statement.ts";
import type { ServerDescription } from "../server-description.ts";
import type { SecretUse } from "./rotation-finding.ts";

/** A server, or a worker of one, that renewed its lease a moment ago. */
export interface LiveServer {
  readonly id: string;
  readonly secretIds: readonly string[];
  /** Null: not known yet. */
  readonly clockOffsetMs: number | null;
  /** Null: an earlier version. */
  readonly description: ServerDescription | null;
}

/** Without what tells one registration of a server from the next (`startRevocation`). Those that seal something: commands have leases too while they run, and no secrets. */
export const readLiveServers = statement<LiveServer>("read_live_servers")(
  {},
  () => `
    SELECT split_part(id, '.', 1) AS id, secret_ids, clock_offset_ms, description FROM server
    WHERE secret_ids IS NOT NULL AND renewed_at > byond_now() - lease_ms * interval '2 milliseconds'
    ORDER BY id`,
);

export const readSecretUses = statement<SecretUse>("read_secret_uses")(
  {},
  () => "SELECT id, first_used_at, last_used_at FROM master_secret ORDER BY id",
);
