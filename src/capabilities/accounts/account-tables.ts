import type { WorkspaceEntity } from "../../access/workspace.entity.ts";
import type { TablesOf } from "../../database/table-query.ts";
import type { DeliveryAttemptEntity } from "../../outbox/delivery-attempt.entity.ts";
import type { OutboxEntity } from "../../outbox/outbox.entity.ts";
import type { ApiKeyEntity } from "../keys/api-key.entity.ts";
import type { AccountEntity } from "./account.entity.ts";
import type { KnownSourceEntity } from "./known-source.entity.ts";
import type { SessionEntity } from "./session.entity.ts";

/** The tables of accounts, and those of others from which rows go when an account ends. */
export type AccountTables = TablesOf<
  | typeof AccountEntity
  | typeof SessionEntity
  | typeof KnownSourceEntity
  | typeof WorkspaceEntity
  | typeof ApiKeyEntity
  | typeof OutboxEntity
  | typeof DeliveryAttemptEntity
>;
