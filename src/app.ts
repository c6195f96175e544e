import type { AccountSettings } from "./capabilities/accounts/account-settings.ts";
import { accountsCapability } from "./capabilities/accounts/accounts.capability.ts";
import { balanceCapability } from "./capabilities/balance/balance.capability.ts";
import type { BalanceSettings } from "./capabilities/balance/balance-settings.ts";
import type { BounceSettings } from "./capabilities/bounces/bounce-settings.ts";
import { bouncesCapability } from "./capabilities/bounces/bounces.capability.ts";
import type { ChannelSettings } from "./capabilities/channels/channel-settings.ts";
import { channelsCapability } from "./capabilities/channels/channels.capability.ts";
import { consoleCapability } from "./capabilities/console/console.capability.ts";
import { emailLookupCapability } from "./capabilities/email-lookup/email-lookup.capability.ts";
import type { EmailLookupSettings } from "./capabilities/email-lookup/email-lookup-settings.ts";
import type { EventSettings } from "./capabilities/events/event-settings.ts";
import { eventsCapability } from "./capabilities/events/events.capability.ts";
import { guardCapability } from "./capabilities/guard/guard.capability.ts";
import type { GuardServerSettings } from "./capabilities/guard/guard-settings.ts";
import type { KeySettings } from "./capabilities/keys/key-settings.ts";
import { keysCapability } from "./capabilities/keys/keys.capability.ts";
import { lookupCapability } from "./capabilities/lookup/lookup.capability.ts";
import type { LookupSettings } from "./capabilities/lookup/lookup-settings.ts";
import { recipientsCapability } from "./capabilities/recipients/recipients.capability.ts";
import { referenceCapability } from "./capabilities/reference/reference.capability.ts";
import type { ReportSettings } from "./capabilities/reports/report-settings.ts";
import { reportsCapability } from "./capabilities/reports/reports.capability.ts";
import { schemaCapability } from "./capabilities/schema/schema.capability.ts";
import type { SuppressionSettings } from "./capabilities/suppressions/suppression-settings.ts";
import { suppressionsCapability } from "./capabilities/suppressions/suppressions.capability.ts";
import { templatesCapability } from "./capabilities/templates/templates.capability.ts";
import { fixedCodesCapability } from "./capabilities/verify/fixed-codes/fixed-codes.capability.ts";
import { offerGuessingEvents } from "./capabilities/verify/guessing/guessing-events.ts";
import { storedRecipients } from "./capabilities/verify/recipient.ts";
import { verifyCapability } from "./capabilities/verify/verify.capability.ts";
import type { VerifySettings } from "./capabilities/verify/verify-settings.ts";
import { offerWebhookEvents } from "./capabilities/webhooks/webhook-events.ts";
import type { WebhookSettings } from "./capabilities/webhooks/webhook-settings.ts";
import { webhooksCapability } from "./capabilities/webhooks/webhooks.capability.ts";
import type { Capability } from "./capability.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { EnvFile } from "./config/env-file.ts";
import type { HashCost } from "./crypto/argon2-hasher.ts";
import type { ConnectionSecurity } from "./database/connection.ts";
import type { ProvidedPostgres } from "./database/provide-postgres.ts";
import type { Logger } from "./observe/log.ts";
import { ResourceStack } from "./process/resource-stack.ts";
import { type NamedContribution, serve } from "./process/serve.ts";
import { readConfig, type ServerConfig } from "./process/server-config.ts";
import { startPlatform } from "./process/start-platform.ts";
import { CertificateWatch } from "./server/certificate-watch.ts";
import type { Shedding } from "./server/load-shedder.ts";
import { onlyProcess } from "./workers/only-process.ts";
import type { Siblings } from "./workers/worker-channel.ts";

/**
 * What the server can do, in the order in which it is started: each capability with what it needs of those before it. Sweeps run in
 * this order, too.
 */
export function standardCapabilities(): readonly Capability[] {
  const channels = channelsCapability();
  const keys = keysCapability();
  const suppressions = suppressionsCapability({ recipients: storedRecipients });
  const guard = guardCapability({
    recipients: storedRecipients,
    destinations: () => webhooks.destinations.value,
  });
  const balance = balanceCapability();
  const emailLookup = emailLookupCapability();
  const templates = templatesCapability();
  const lookup = lookupCapability({
    numberIndex: storedRecipients.indexOfAddress,
    retentionDays: () => verify.offer.value.retentionDays,
    charges: balance.charges,
  });
  const recipientData = [suppressions.recipientData, guard.recipientData, lookup.recipientData];
  const verify = verifyCapability({
    channels: channels.offer,
    emailLookup: emailLookup.offer,
    templates: templates.offer,
    sendSteps: {
      guard: [suppressions.guard, ...guard.sendSteps.guard],
      charge: balance.sendSteps.charge,
      event: guard.sendSteps.event,
    },
    sendGuard: guard.guard,
    charges: balance.charges,
    guardMode: guard.modeOf,
    erasures: recipientData.map(({ erasure }) => erasure),
  });
  const accounts = accountsCapability({
    channels: channels.offer,
    keys: keys.offer,
    verifications: verify.offer,
  });
  const fixedCodes = fixedCodesCapability({ passwords: accounts.offer });
  const events = eventsCapability({
    objects: [
      verify.events,
      keys.events,
      offerWebhookEvents(),
      fixedCodes.events,
      ...guard.events,
      offerGuessingEvents(),
    ],
  });
  const webhooks = webhooksCapability({ channels: channels.offer, events: events.offer, owners: accounts.offer });
  return [
    channels,
    keys,
    suppressions,
    guard,
    balance,
    verify,
    bouncesCapability(),
    lookup,
    emailLookup,
    accounts,
    fixedCodes,
    events,
    templates,
    webhooks,
    recipientsCapability({
      exports: [...verify.exports, ...recipientData.map((data) => data.export)],
      indexesOf: storedRecipients.indexesOfAny,
      events: events.offer,
    }),
    reportsCapability({ countUsage: lookup.countUsage, charges: balance.charges }),
    referenceCapability(),
    schemaCapability(),
    consoleCapability(),
  ];
}

/** The configuration of a server with the standard capabilities. Those of others stand beside it. */
export type Config = ServerConfig &
  ChannelSettings &
  SuppressionSettings &
  BalanceSettings &
  BounceSettings &
  GuardServerSettings &
  KeySettings &
  VerifySettings &
  AccountSettings &
  EmailLookupSettings &
  EventSettings &
  LookupSettings &
  WebhookSettings &
  ReportSettings;

/** Reads the environment into a frozen configuration. Throws one `ConfigError` that lists every problem. See `readConfig`. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>, envFile?: EnvFile): Config {
  return readConfig<Config>(environment, standardCapabilities(), envFile);
}

/** What the server is given by whoever runs it. */
export interface AppOptions {
  readonly logger: Logger;
  /** Something that the server cannot do without has ended. */
  readonly onFatal: (reason: Error) => void;
  readonly clock?: Clock;
  /** How often what nobody needs any more is removed. Default: every minute. */
  readonly sweepIntervalMs?: number;
  /** How often the certificate's files are read. Default: see `CertificateWatchOptions`. */
  readonly certificateIntervalMs?: number;
  /** Of the hashes of passwords. Default: `passwordCost`; tests of something else have no time for it. */
  readonly passwordCost?: HashCost;
  /** Says which calls are refused. Default: `LoadShedder`; a test that shares the event loop with the server makes it late itself. */
  readonly shedding?: Shedding;
  /** Default: the standard ones. */
  readonly capabilities?: readonly Capability[];
  /** A PostgreSQL that another process of this server has started. Default: as configured. */
  readonly postgres?: ProvidedPostgres | undefined;
  /** The other processes of this server. Default: there are none. */
  readonly siblings?: Siblings;
}

/** A running server. */
export interface App {
  /** Where it listens. */
  readonly url: string;
  /** Created at the first start on an empty embedded database, and printed only then. */
  readonly demoKey: string | undefined;
  /** Signs a browser in to the demo workspace, once. Undefined on a public server, and without a demo workspace. */
  readonly consoleLink: string | undefined;
  /** Opens the inbox in a browser, once. Undefined on a public server, where the inbox takes keys only. */
  readonly inboxLink: string | undefined;
  readonly databaseSecurity: ConnectionSecurity;
  /** Of the master secrets, the current one first: they name a secret and tell nothing about it. */
  readonly secretIds: readonly string[];
  /** Looks for a renewed certificate now. Undefined: the port does not speak TLS, or another process has the certificate. Never rejects. */
  readonly reloadCertificate: (() => Promise<void>) | undefined;
  /** Says that it is not ready any more, and goes on for `drainSeconds`, or until the signal aborts. Never rejects. */
  drain(signal?: AbortSignal): Promise<void>;
  /** Stops accepting, finishes what is in flight and lets go of everything, all of it in 10 seconds at most. Never rejects. */
  close(): Promise<void>;
}

/** For all of closing, and of it what requests and messages leave for letting go of the rest. */
const shutdownMs = 10_000;
const closeReserveMs = 1_000;
const defaultSweepIntervalMs = 60_000;

/** Builds the server, in order, and opens its port last. Whatever fails, what was built before is closed again. */
export async function createApp(config: ServerConfig, options: AppOptions): Promise<App> {
  const resources = new ResourceStack(options.logger);
  try {
    return await buildApp(config, options, resources);
  } catch (error) {
    await resources.close(shutdownMs);
    throw error;
  }
}

async function buildApp(config: ServerConfig, options: AppOptions, resources: ResourceStack): Promise<App> {
  const {
    capabilities = standardCapabilities(),
    clock = systemClock,
    sweepIntervalMs = defaultSweepIntervalMs,
    siblings = onlyProcess(),
    shedding,
    logger,
  } = options;
  const watch =
    config.tls === undefined || siblings.certificate !== undefined
      ? undefined
      : await CertificateWatch.start({ files: config.tls, clock, logger, intervalMs: options.certificateIntervalMs });
  resources.add("certificate", () => watch?.stop());
  const certificate = siblings.certificate ?? watch;
  const platform = await startPlatform(config, capabilities, { ...options, clock, siblings }, resources);
  const contributions: NamedContribution[] = [];
  for (const capability of capabilities) {
    const contribution = await capability.start(platform, config);
    resources.add(capability.name, (withinMs) => contribution.close?.(withinMs));
    contributions.push({ ...contribution, name: capability.name });
  }
  const server = await serve(
    platform,
    { config, contributions, certificate, sweepIntervalMs, shedding, closeReserveMs },
    resources,
  );
  return {
    url: server.url,
    demoKey: server.demoKey,
    consoleLink: server.consoleLink?.(),
    inboxLink: server.inboxLink?.(),
    databaseSecurity: platform.database.security,
    secretIds: platform.keyring.all.map(({ id }) => id),
    reloadCertificate: watch && (() => watch.reload()),
    drain: server.drain,
    close() {
      server.stopBeginning();
      return resources.close(shutdownMs);
    },
  };
}
