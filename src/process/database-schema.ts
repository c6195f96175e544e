import { Access0001 } from "../access/access-0001.migration.ts";
import { Access0002 } from "../access/access-0002.migration.ts";
import { UsedSignatureEntity } from "../access/used-signature.entity.ts";
import { WorkspaceEntity } from "../access/workspace.entity.ts";
import type { Capability, WorkspaceTables } from "../capability.ts";
import { Crypto0001 } from "../crypto/crypto-0001.migration.ts";
import { MasterSecretEntity } from "../crypto/master-secret.entity.ts";
import { Database0001 } from "../database/database-0001.migration.ts";
import { Database0002 } from "../database/database-0002.migration.ts";
import { InstallationEntity } from "../database/installation.entity.ts";
import type { Schema } from "../database/schema.ts";
import { SweepEntity } from "../database/sweep.entity.ts";
import { ThrottleEntity } from "../database/throttle.entity.ts";
import { EventEntity } from "../events/event.entity.ts";
import { EventPendingEntity } from "../events/event-pending.entity.ts";
import { Events0001 } from "../events/events-0001.migration.ts";
import { IdempotencyEntity } from "../idempotency/idempotency.entity.ts";
import { Idempotency0001 } from "../idempotency/idempotency-0001.migration.ts";
import { DeliveryAttemptEntity } from "../outbox/delivery-attempt.entity.ts";
import { OutboxEntity } from "../outbox/outbox.entity.ts";
import { Outbox0001 } from "../outbox/outbox-0001.migration.ts";
import { Outbox0002 } from "../outbox/outbox-0002.migration.ts";
import { Outbox0003 } from "../outbox/outbox-0003.migration.ts";
import { Outbox0004 } from "../outbox/outbox-0004.migration.ts";
import { Outbox0005 } from "../outbox/outbox-0005.migration.ts";
import { Outbox0006 } from "../outbox/outbox-0006.migration.ts";
import { Outbox0007 } from "../outbox/outbox-0007.migration.ts";
import { Outbox0008 } from "../outbox/outbox-0008.migration.ts";
import { Outbox0009 } from "../outbox/outbox-0009.migration.ts";
import { Outbox0010 } from "../outbox/outbox-0010.migration.ts";
import { Outbox0011 } from "../outbox/outbox-0011.migration.ts";
import { Outbox0012 } from "../outbox/outbox-0012.migration.ts";
import { Outbox0013 } from "../outbox/outbox-0013.migration.ts";
import { OutboxLaneEntity } from "../outbox/outbox-lane.entity.ts";
import { QuotaEntity } from "../quota/quota.entity.ts";
import { Quota0001 } from "../quota/quota-0001.migration.ts";
import { RevocationEntity } from "../revocation/revocation.entity.ts";
import { Revocation0001 } from "../revocation/revocation-0001.migration.ts";
import { Revocation0002 } from "../revocation/revocation-0002.migration.ts";
import { Revocation0003 } from "../revocation/revocation-0003.migration.ts";
import { ServerEntity } from "../revocation/server.entity.ts";
import { Usage0001 } from "../usage/usage-0001.migration.ts";
import { UsageDayEntity } from "../usage/usage-day.entity.ts";

/** The tables of the platform. */
const platform: Schema = {
  entities: [
    InstallationEntity,
    ThrottleEntity,
    SweepEntity,
    MasterSecretEntity,
    WorkspaceEntity,
    UsedSignatureEntity,
    ServerEntity,
    RevocationEntity,
    QuotaEntity,
    IdempotencyEntity,
    OutboxEntity,
    OutboxLaneEntity,
    DeliveryAttemptEntity,
    EventPendingEntity,
    EventEntity,
    UsageDayEntity,
  ],
  migrations: [
    { name: "database-0001", class: Database0001 },
    { name: "database-0002", class: Database0002 },
    { name: "crypto-0001", class: Crypto0001 },
    { name: "access-0001", class: Access0001 },
    { name: "access-0002", class: Access0002 },
    { name: "revocation-0001", class: Revocation0001 },
    { name: "revocation-0002", class: Revocation0002 },
    { name: "revocation-0003", class: Revocation0003 },
    { name: "quota-0001", class: Quota0001 },
    { name: "idempotency-0001", class: Idempotency0001 },
    { name: "outbox-0001", class: Outbox0001 },
    { name: "outbox-0002", class: Outbox0002 },
    { name: "outbox-0003", class: Outbox0003 },
    { name: "outbox-0004", class: Outbox0004 },
    { name: "outbox-0005", class: Outbox0005 },
    { name: "outbox-0006", class: Outbox0006 },
    { name: "outbox-0007", class: Outbox0007 },
    { name: "outbox-0008", class: Outbox0008 },
    { name: "outbox-0009", class: Outbox0009 },
    { name: "outbox-0010", class: Outbox0010 },
    { name: "outbox-0011", class: Outbox0011 },
    { name: "outbox-0012", class: Outbox0012 },
    { name: "outbox-0013", class: Outbox0013 },
    { name: "events-0001", class: Events0001 },
    { name: "usage-0001", class: Usage0001 },
  ],
};

/** The platform's tables whose rows belong to a workspace. */
const platformWorkspaceTables: WorkspaceTables = {
  delivery_attempt: "subject_id, outbox_id, claim",
  outbox: "id",
  event_pending: "number",
  event: 'mode, "position"',
  idempotency: "realm, key",
  throttle: "key",
  quota: "key",
  used_signature: "nonce",
  usage_day: "mode, day, channel, country, key_id",
};

/**
 * Every table whose rows belong to a workspace, in the order of an erasure. The capabilities' come first: a sweep of theirs that
 * deletes something together with its messages (`verificationSweep`) locks it before the messages, and so does the erasure. Throws
 * `TypeError` for a table that is declared twice.
 */
export function workspaceTablesOf(capabilities: readonly Capability[]): WorkspaceTables {
  const declared = [...capabilities.map(({ workspaceTables = {} }) => workspaceTables), platformWorkspaceTables];
  const entries = declared.flatMap((tables) => Object.entries(tables));
  const names = entries.map(([name]) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new TypeError(`the table ${repeated} is in workspaceTables twice`);
  }
  return Object.fromEntries(entries);
}

/**
 * The tables of the platform and of capabilities, which may refer to the platform's. Migrations run in this order, on every
 * database: a new one comes after those of its folder.
 */
export function schemaOf(capabilities: readonly Capability[]): Schema {
  return {
    entities: [...platform.entities, ...capabilities.flatMap(({ entities = [] }) => entities)],
    migrations: [...platform.migrations, ...capabilities.flatMap(({ migrations = [] }) => migrations)],
  };
}
