import { setTimeout } from "node:timers/promises";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { ApiKeyService } from "../gen/byond/v1/api_key_pb.ts";
import { AuthService } from "../gen/byond/v1/auth_pb.ts";
import { file_byond_v1_error } from "../gen/byond/v1/error_pb.ts";
import { LookupService } from "../gen/byond/v1/lookup_pb.ts";
import { VerifyService } from "../gen/byond/v1/verify_pb.ts";
import { file_google_rpc_status } from "../gen/google/rpc/status_pb.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import type { Authenticator } from "./access/access.ts";
import { keyCaller } from "./access/caller.ts";
import { usedSignatureSweep } from "./access/used-signatures.ts";
import { AccountEndingSender, accountEndingKind } from "./capabilities/accounts/account-ending-sender.ts";
import { authFieldChecks, authService } from "./capabilities/accounts/auth.rpc.ts";
import { SessionAuthenticator } from "./capabilities/accounts/authenticate-session.ts";
import { closedWorkspaceSweep } from "./capabilities/accounts/closed-workspace-sweep.ts";
import { findAccountsByEmail } from "./capabilities/accounts/find-account.ts";
import { FruitlessCalls } from "./capabilities/accounts/fruitless-calls.ts";
import { knownSourceSweep } from "./capabilities/accounts/known-sources.ts";
import { countPasswordComparison } from "./capabilities/accounts/password-comparison.ts";
import { sessionSweep } from "./capabilities/accounts/session-sweep.ts";
import { SessionTokens } from "./capabilities/accounts/session-tokens.ts";
import { createDecoyHash } from "./capabilities/accounts/sign-in.ts";
import { unverifiedAccountSweep } from "./capabilities/accounts/unverified-account-sweep.ts";
import { type Channels, channelNames, createChannels, laneOf } from "./capabilities/channels/channels.ts";
import { Inbox } from "./capabilities/channels/inbox/inbox.ts";
import { InboxLink } from "./capabilities/channels/inbox/inbox-link.ts";
import { inboxPage } from "./capabilities/channels/inbox/inbox-page.ts";
import { whatsappWebhookPage } from "./capabilities/channels/whatsapp/whatsapp-webhook-page.ts";
import { ApiKeyEntity } from "./capabilities/keys/api-key.entity.ts";
import { apiKeyFieldChecks, apiKeyService } from "./capabilities/keys/api-key.rpc.ts";
import { KeyAuthenticator } from "./capabilities/keys/authenticate-api-key.ts";
import { LastUsed } from "./capabilities/keys/last-used.ts";
import { readTagKey } from "./capabilities/keys/tag-key.ts";
import { lookupFieldChecks, lookupService } from "./capabilities/lookup/lookup.rpc.ts";
import { docsPages } from "./capabilities/reference/page/docs-pages.ts";
import { accountVerifications, resetMessageKind } from "./capabilities/verify/account-verifications.ts";
import { type CodeDispatcher, CodeSender, codeMessageKind } from "./capabilities/verify/code-sender.ts";
import { keepNotingSecret } from "./capabilities/verify/secrets-in-use.ts";
import { ownVerificationSweep, verificationSweep } from "./capabilities/verify/verification-sweep.ts";
import { verifyFieldChecks, verifyService } from "./capabilities/verify/verify.rpc.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type HashCost, Hasher, keyCost, passwordCost } from "./crypto/hashing.ts";
import { createId } from "./crypto/ids.ts";
import { createKeyring } from "./crypto/keyring.ts";
import { withoutDeadline } from "./database/call-deadline.ts";
import type { ConnectionSecurity } from "./database/connection.ts";
import { Database } from "./database/database.ts";
import { providePostgres } from "./database/provide-postgres.ts";
import { DatabaseReadiness, isReady } from "./database/readiness.ts";
import { Sweeper } from "./database/sweeper.ts";
import { throttleSweep } from "./database/throttle.ts";
import { idempotencySweep } from "./idempotency/answer-store.ts";
import { describeError, type Logger } from "./observe/log.ts";
import { RequestCounter } from "./observe/metrics.ts";
import { DeliveryWorker } from "./outbox/worker.ts";
import type { Config } from "./process/config.ts";
import { readSecrets } from "./process/embedded-secret.ts";
import { createDemoKey } from "./process/first-start.ts";
import { joinServers } from "./process/join-fleet.ts";
import { Resources } from "./process/resources.ts";
import { Quota } from "./quota/quota.ts";
import { databaseQuotaStore, quotaSweep } from "./quota/quota-store.ts";
import { sendLimitsOf } from "./quota/send-limits.ts";
import { revocationMetrics } from "./revocation/revocation-metrics.ts";
import { startRevocation } from "./revocation/revocation-service.ts";
import { revocationSweep } from "./revocation/revocation-store.ts";
import { admitToPage } from "./rpc/admit-page.ts";
import { currentApiVersion } from "./rpc/api-version.ts";
import { createChain } from "./rpc/chain.ts";
import { grpcHealth } from "./rpc/grpc-health.ts";
import { grpcReflection } from "./rpc/grpc-reflection.ts";
import { createMalformedRequests } from "./rpc/malformed-request.ts";
import { createRestGateway } from "./rpc/rest-gateway.ts";
import { bindService, createRpcHandlers } from "./rpc/router.ts";
import { answerUnknownRpc, isUnknownRpc } from "./rpc/unknown-rpc.ts";
import { createErrorReporter } from "./rpc/wire-errors.ts";
import { readCertificate } from "./server/certificate.ts";
import { clientAddressKey } from "./server/client-address.ts";
import { createCors } from "./server/cors.ts";
import { livenessPage, readinessPage } from "./server/health.ts";
import { type MetricsReaders, metricsPage } from "./server/metrics-page.ts";
import { withNotFoundPage } from "./server/not-found-page.ts";
import { openOnePort } from "./server/one-port.ts";
import { type CallHandler, createRequestHandler, type Page } from "./server/request-handler.ts";
import { serverOptionsPage } from "./server/server-options-page.ts";

/** What the server is given by whoever runs it. */
export interface AppOptions {
  readonly logger: Logger;
  /** Something that the server cannot do without has ended. */
  readonly onFatal: (reason: Error) => void;
  readonly clock?: Clock;
  /** How often what nobody needs any more is removed. Default: every minute. */
  readonly sweepIntervalMs?: number;
  /** Of the hashes of passwords. Default: `passwordCost`; tests of something else have no time for it. */
  readonly passwordCost?: HashCost;
}

/** A running server. */
export interface App {
  /** Where it listens. */
  readonly url: string;
  /** Made at the first start on an empty embedded database, and shown this once. */
  readonly demoKey: string | undefined;
  /** Opens the inbox in a browser, once. Undefined on a public server, where the inbox takes keys only. */
  readonly inboxLink: string | undefined;
  readonly databaseSecurity: ConnectionSecurity;
  /** Of the master secrets, the current one first: they name a secret and tell nothing about it. */
  readonly secretIds: readonly string[];
  /** Says that it is not ready any more, and goes on for `drainSeconds`, or until the signal aborts. Never rejects. */
  drain(signal?: AbortSignal): Promise<void>;
  /** Stops accepting, finishes what is in flight and lets go of everything, all of it in 10 seconds at most. Never rejects. */
  close(): Promise<void>;
}

/** For all of closing. */
const shutdownMs = 10_000;
/** Of it, what requests and messages leave for letting go of the rest. */
const lettingGoMs = 1_000;
const defaultSweepIntervalMs = 60_000;
const inboxPath = "/dev/inbox";

/** Builds the server, in order, and opens its port last. Whatever fails, what was built before is closed again. */
export async function createApp(config: Config, options: AppOptions): Promise<App> {
  const resources = new Resources(options.logger);
  try {
    return await buildApp(config, options, resources);
  } catch (error) {
    await resources.close(shutdownMs);
    throw error;
  }
}

async function buildApp(config: Config, options: AppOptions, resources: Resources): Promise<App> {
  const { logger, clock = systemClock, sweepIntervalMs = defaultSweepIntervalMs } = options;
  const serverId = createId("srv");
  // The port may be any free one, so the address is known only once it is open.
  let url = config.publicUrl ?? "";

  const tls = config.tls && (await readCertificate(config.tls));
  const { connection, ...postgres } = await providePostgres(config.database, options.onFatal);
  resources.add("embedded PostgreSQL", () => postgres.stop());
  const database = await Database.open({ connection, logger, entities: [ApiKeyEntity] });
  resources.add("connections to the database", () => database.close());

  const keyring = createKeyring(await readSecrets(config));
  const tagKey = await readTagKey(database);
  const keyHasher = new Hasher({ cost: keyCost, concurrency: 2, maxWaiting: 1_000 });
  const passwordHasher = new Hasher({ cost: options.passwordCost ?? passwordCost, concurrency: 2, maxWaiting: 100 });
  const demoKey =
    config.database.kind === "embedded"
      ? await createDemoKey({ database, keyHasher, passwordHasher, tagKey, defaultTier: config.limits.defaultTier })
      : undefined;

  const secretIds = keyring.all.map(({ id }) => id);
  const { retentionDays } = config;
  const secretsAreIn = config.secrets === undefined ? "the file secret in DATA_DIR" : "BYOND_SECRET";
  const revocation = await joinServers({ database, logger, keyring, clock, retentionDays, secretsAreIn }, async () => {
    const joined = await startRevocation({ database, connection, clock, logger, serverId, secretIds });
    resources.add("revocation lease", () => joined.stop());
    return joined;
  });
  resources.add("use of secrets", keepNotingSecret(database, keyring.current.id));
  const lastUsed = new LastUsed({ database, clock, logger });
  resources.add("last use of keys", () => lastUsed.flush());
  const sessionTokens = new SessionTokens({ keyring, clock });
  const keys = new KeyAuthenticator({ database, clock, logger, keyHasher, tagKey, lastUsed, revocation });
  const sessions = new SessionAuthenticator({ database, sessionTokens, revocation });

  const inbox = config.inbox === "none" ? undefined : new Inbox(clock);
  const channels = createChannels({
    clock,
    ...config.delivery,
    sandbox: inbox,
    substitute: config.inbox === "all" ? inbox : undefined,
  });
  resources.add("channels", () => channels.close());
  const isAwaited = async (email: string) => (await findAccountsByEmail({ database }, email)).length > 0;
  const worker = new DeliveryWorker({
    database,
    clock,
    logger,
    serverId,
    senders: {
      [codeMessageKind]: new CodeSender({ database, keyring, channels }),
      [resetMessageKind]: new CodeSender({ database, keyring, channels, reset: { isAwaited, url: () => url } }),
      [accountEndingKind]: new AccountEndingSender({ database, channels, url: () => url }),
    },
    lanes: channels.lanes,
  });
  worker.start();
  resources.add("messages", (withinMs) => worker.stop(Math.max(0, withinMs - lettingGoMs)));
  const sweeper = new Sweeper({
    database,
    logger,
    intervalMs: sweepIntervalMs,
    sweeps: [
      verificationSweep({ database }, config.retentionDays),
      ownVerificationSweep({ database }),
      idempotencySweep({ database }),
      throttleSweep({ database }),
      quotaSweep({ database }),
      ...(config.delivery.smtp === undefined
        ? []
        : [unverifiedAccountSweep({ database, revocation, lane: laneOf("email", "live") })]),
      sessionSweep({ database }),
      knownSourceSweep({ database }),
      usedSignatureSweep({ database }),
      revocationSweep({ database }),
      // Last: an account with a million rows takes minutes, and on a lone server the sweeps that come after it wait.
      closedWorkspaceSweep({ database }),
    ],
  });
  sweeper.start();
  resources.add("sweeps", () => sweeper.stop());
  const codes: CodeDispatcher = {
    serverId,
    monotonicMs: () => clock.monotonicMs(),
    laneFor: (channel, mode) => (channels.isAvailable(channel, mode) ? laneOf(channel, mode) : undefined),
    hasProvider: (channel, mode) => mode === "live" && channels.hasProvider(channel),
    dispatch: (item) => withoutDeadline(() => worker.dispatch(item)),
  };

  const decoyHash = await createDecoyHash(passwordHasher);
  const services = [
    bindService(
      VerifyService,
      verifyService({
        database,
        keyring,
        codes,
        originLimits: (context) => {
          const { tier } = keyCaller(context);
          const clientAddress = context.values.get(clientAddressKey);
          return (endUserKey) => sendLimitsOf(config.limits.sendLimits, { tier, clientAddress, endUserKey });
        },
      }),
    ),
    bindService(LookupService, lookupService()),
    bindService(ApiKeyService, apiKeyService({ database, keyHasher, tagKey, revocation })),
    bindService(
      AuthService,
      authService({
        database,
        passwordHasher,
        decoyHash,
        sessionTokens,
        sessionMaxDays: config.sessionMaxDays,
        keyring,
        tagKey,
        revocation,
        defaultTier: config.limits.defaultTier,
        emailVerifications: accountVerifications({ database, keyring, codes }),
        signUp: config.signUp,
        signUpsPerHour: config.limits.signUpsPerHour,
        fruitlessCalls: new FruitlessCalls(clock),
      }),
    ),
  ];

  const serviceNames = services.map(({ service }) => service.typeName);
  const draining = new AbortController();
  const closing = new AbortController();
  const readiness = new DatabaseReadiness({ connection, clock, pool: () => database.poolUse });
  resources.add("readiness", () => readiness.close());
  const grpcServices = [
    bindService(
      Health,
      grpcHealth({
        serviceNames,
        isReady: async () => !draining.signal.aborted && isReady(await readiness.state()),
        clock,
        draining: draining.signal,
        closing: closing.signal,
      }),
    ),
  ];
  if (config.grpcReflection === "on") {
    const described = [...services.map(({ service }) => service), Health];
    // An error is a google.rpc.Status with an ErrorInfo.
    const details = [file_byond_v1_error, file_google_rpc_status];
    grpcServices.push(...grpcReflection({ services: described, details, clock }));
  }

  const errors = createErrorReporter(logger, () => `${url}/docs/errors`);
  const authenticator: Authenticator = {
    authenticateKey: (key) => keys.authenticateKey(key),
    authenticateSession: (token) => sessions.authenticateSession(token),
    liveKeysNeedVerifiedEmail: mayStrangersSend(config, channels),
  };
  const chain = createChain({
    services: services.map(({ service }) => service),
    openServices: grpcServices.map(({ service }) => service),
    authenticator,
    revocation,
    errors,
    quota: new Quota(databaseQuotaStore(database), clock),
    clock,
    idempotency: {
      database,
      keyring,
      logger,
      beforeComparison: (repetition) => countPasswordComparison({ database, keyring }, repetition),
      // Of changes to keys and accounts only: the others revoke nothing.
      beforeReplay: async ({ parent }) =>
        parent === ApiKeyService || parent === AuthService ? revocation.confirmEarlier() : undefined,
    },
    // Signing up and the like are several steps, of which some only count the attempt: once begun, they are finished.
    endsAtDeadline: (method) => method.parent !== AuthService,
    fieldChecks: [...verifyFieldChecks, ...lookupFieldChecks, ...apiKeyFieldChecks, ...authFieldChecks],
  });
  const shutdown = new AbortController();
  const gateway = createRestGateway(services, chain, errors, shutdown.signal);
  const requestCounter = new RequestCounter();
  const pages = new Map<string, Page>([
    ["*", serverOptionsPage],
    ["/healthz", livenessPage],
    ["/readyz", readinessPage(readiness, draining.signal)],
    [
      "/metrics",
      metricsPage(
        () => [...requestCounter.metrics(), ...revocationMetrics(revocation.metrics())],
        metricsReaders(config),
      ),
    ],
    ...(await docsPages(config.publicUrl, () => url)),
  ]);
  if (config.delivery.whatsappWebhook !== undefined) {
    const webhook = { database, logger, now: () => clock.now(), ...config.delivery.whatsappWebhook };
    const { proxyTrust } = config.limits;
    pages.set("/webhooks/whatsapp", whatsappWebhookPage({ ...webhook, proxyTrust }));
  }
  // The API's paths, and those that do not exist. Pages are for no other origin, the inbox least of all.
  const cors = createCors(config.corsOrigins);
  const rpcHandlers = createRpcHandlers(services, grpcServices, chain, errors, shutdown.signal);
  const calls = new Map<string, CallHandler>([...rpcHandlers].map(([path, handler]) => [path, cors.allow(handler)]));
  const browserUrl = config.publicUrl ?? `${config.tls === undefined ? "http" : "https"}://localhost`;
  const inboxLink = config.inbox === "all" ? new InboxLink(new URL(browserUrl + inboxPath)) : undefined;
  if (inbox !== undefined) {
    // Whoever may read a verification may read its message.
    const access = { chain, authenticator, method: VerifyService.method.getVerification };
    const admitKey = (request: UniversalServerRequest, header: Headers) => admitToPage(access, request, header);
    calls.set(inboxPath, inboxPage({ inbox, link: inboxLink, admitKey, errors }));
  }
  const malformed = createMalformedRequests(errors, logger, cors);
  const port = await openOnePort({
    host: config.host,
    port: config.port,
    ...(tls === undefined ? {} : { tls }),
    onRequest: createRequestHandler({
      clock,
      logger,
      proxyTrust: config.limits.proxyTrust,
      requestCounter,
      apiVersion: currentApiVersion,
      pages,
      calls,
      rest: cors.allow(
        withNotFoundPage(async (request) => {
          const answer = await gateway.handle(request);
          return isUnknownRpc(request, answer) ? answerUnknownRpc(errors, request) : answer;
        }),
      ),
    }),
    onMalformed: malformed.refuse,
    malformedContent: malformed.content,
    onError: (error) => logger.error("connection failed", { error: describeError(error) }),
  });
  resources.add("requests", async (withinMs) => {
    closing.abort();
    const isFinished = await port.close(Math.max(0, withinMs - lettingGoMs));
    shutdown.abort();
    return isFinished;
  });
  url = config.publicUrl ?? port.url;
  return {
    url,
    demoKey,
    inboxLink: inboxLink === undefined ? undefined : `${url}${inboxPath}${inboxLink.query}`,
    databaseSecurity: database.security,
    secretIds,
    async drain(signal) {
      draining.abort();
      await setTimeout(config.drainSeconds * 1_000, undefined, { ref: false, signal }).catch(() => undefined);
    },
    close() {
      draining.abort();
      // Nothing new is begun while requests are finished.
      worker.drain();
      void sweeper.stop();
      return resources.close(shutdownMs);
    },
  };
}

function metricsReaders({ metricsToken, isPublic }: Config): MetricsReaders {
  if (metricsToken !== undefined) {
    return { token: metricsToken };
  }
  return isPublic ? "nobody" : "this machine";
}

/** Whether anybody can sign up and send messages that really leave the server. */
function mayStrangersSend({ signUp }: Config, channels: Channels): boolean {
  return signUp === "open" && channelNames.some((channel) => channels.hasProvider(channel));
}
