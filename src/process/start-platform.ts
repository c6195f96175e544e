import type { Capability, Platform } from "../capability.ts";
import { Offer } from "../capability.ts";
import type { Clock } from "../clock.ts";
import { type HashCost, passwordCost } from "../crypto/argon2-hasher.ts";
import { createId } from "../crypto/ids.ts";
import { createKeyring } from "../crypto/keyring.ts";
import { keepNotingSecret, type SealedRows } from "../crypto/master-secret-use.ts";
import { withoutDeadline } from "../database/call-deadline.ts";
import { sessionRoute } from "../database/check-routes.ts";
import type { PostgresConnection } from "../database/connection.ts";
import { readTagKey } from "../database/credential-tag-key.ts";
import { Database } from "../database/database.ts";
import { type ProvidedPostgres, providePostgres } from "../database/provide-postgres.ts";
import { EventLog } from "../events/event-log.ts";
import { eventChannel } from "../events/events.policy.ts";
import { activeSpan, withoutSpan } from "../observe/active-span.ts";
import type { Logger } from "../observe/log.ts";
import { startTracing } from "../observe/start-tracing.ts";
import { type Tracing, withTraceIds } from "../observe/tracing.ts";
import { outboxChannel } from "../outbox/outbox.policy.ts";
import type { OutboxItem } from "../outbox/outbox.ts";
import type { DeliveryWorker } from "../outbox/worker.ts";
import { Quota } from "../quota/quota.ts";
import { databaseQuotaStore } from "../quota/quota-store.ts";
import { startRevocation } from "../revocation/revocation-service.ts";
import type { Siblings } from "../workers/worker-channel.ts";
import { checkCapabilities } from "./check-capabilities.ts";
import { schemaOf, workspaceTablesOf } from "./database-schema.ts";
import { readSecrets, secretsAreIn } from "./master-secrets.ts";
import { registerServer } from "./register-server.ts";
import type { ResourceStack } from "./resource-stack.ts";
import { factsOf, type ServerConfig } from "./server-config.ts";
import { describeServer } from "./server-description.ts";
import { version } from "./start-report.ts";

export interface PlatformOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called when something that the server cannot run without has ended, such as the embedded PostgreSQL. */
  readonly onFatal: (reason: Error) => void;
  /** Default: `passwordCost`. */
  readonly passwordCost?: HashCost;
  /** Default: as configured. */
  readonly postgres?: ProvidedPostgres | undefined;
  readonly siblings: Siblings;
}

/** The platform, and what is added to it once the server serves. */
export interface StartedPlatform extends Platform {
  readonly connection: PostgresConnection;
  /** Public base URL. Given when the port is open. */
  readonly openedUrl: Offer<string>;
  /** Sends the outbox's messages. Given when the server serves. */
  readonly worker: Offer<DeliveryWorker>;
  /** Undefined: the server sends no traces. */
  readonly tracing: Tracing | undefined;
}

/**
 * Opens the database, starting the embedded one if there is no other, migrates its schema, and registers this server.
 * Everything that has to be closed is added to `resources`.
 */
export async function startPlatform(
  config: ServerConfig,
  capabilities: readonly Capability[],
  options: PlatformOptions,
  resources: ResourceStack,
): Promise<StartedPlatform> {
  checkCapabilities(capabilities);
  const { clock } = options;
  const serverId = createId("srv");
  const tracing = config.tracing && (await startTracing(config.tracing, { version, serverId }, options.logger));
  const logger = tracing === undefined ? options.logger : withTraceIds(options.logger);
  resources.add("traces", (withinMs) => tracing?.close(withinMs));
  const { routes, ...postgres } = options.postgres ?? (await providePostgres(config, options.onFatal));
  resources.add("embedded PostgreSQL", () => postgres.stop());
  const database = await Database.open({
    ...routes,
    poolSize: config.databasePoolSize,
    logger,
    ...schemaOf(capabilities),
  });
  resources.add("connections to the database", () => database.close());
  const events = new EventLog({ database, clock, logger });
  resources.add("events", () => events.stop());

  const worker = new Offer<DeliveryWorker>("outbox");
  const keyring = createKeyring(await readSecrets(config));
  const secretIds = keyring.all.map(({ id }) => id);
  const sealed = sealedRowsOf(capabilities, config);
  const registration = { database, logger, keyring, sealed, clock, secretsAreIn: secretsAreIn(config) };
  const revocation = await registerServer(registration, async () => {
    const onNotification = {
      [eventChannel]: (payload: string) => events.notified(payload),
      [outboxChannel]: () => worker.isGiven && worker.value.pollSoon(),
    };
    const joined = await startRevocation({
      database,
      connection: sessionRoute(routes),
      clock,
      logger,
      serverId,
      secretIds,
      description: JSON.stringify(describeServer(config, capabilities, keyring)),
      onNotification,
    });
    resources.add("revocation lease", () => joined.stop());
    return joined;
  });
  resources.add("use of secrets", keepNotingSecret(database, keyring.current.id));

  const openedUrl = new Offer<string>("server");
  return {
    server: factsOf(config),
    serverId,
    database,
    connection: routes.connection,
    clock,
    logger,
    keyring,
    tagKey: await readTagKey(database),
    revocation,
    events,
    quota: new Quota(databaseQuotaStore(database), clock),
    scopes: scopesOf(capabilities),
    workspaceTables: workspaceTablesOf(capabilities),
    passwordCost: options.passwordCost ?? passwordCost,
    siblings: options.siblings,
    proxyTrust: config.proxyTrust,
    dispatch: (item) => {
      const written = writtenBy(item, activeSpan()?.traceParent);
      withoutDeadline(() => withoutSpan(() => worker.value.dispatch(written)));
    },
    publicUrl: config.publicUrl,
    url: () => config.publicUrl ?? openedUrl.value,
    browserUrl: config.publicUrl ?? `${config.tls === undefined ? "http" : "https"}://localhost`,
    openedUrl,
    worker,
    tracing,
  };
}

/** A message of which its row says the same. */
function writtenBy(item: OutboxItem, traceParent: string | undefined): OutboxItem {
  return traceParent === undefined ? item : { ...item, traceParent };
}

/** All kinds of rows that the capabilities seal with the master secrets. */
export function sealedRowsOf(capabilities: readonly Capability[], settings: unknown): SealedRows[] {
  return capabilities.flatMap((capability) => capability.sealed?.(settings) ?? []);
}

/** The scopes that a key can have: those of all capabilities, and `*`. */
export function scopesOf(capabilities: readonly Capability[]): readonly string[] {
  return [...capabilities.flatMap(({ scopes = [] }) => scopes), "*"];
}
