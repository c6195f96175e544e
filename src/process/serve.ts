import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { DescMethod } from "@bufbuild/protobuf";
import { Registry } from "prom-client";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { type Authenticator, accessOf } from "../access/authorize.ts";
import { usedSignatureSweep } from "../access/used-signatures.ts";
import type { CapabilityService, Contribution, Greeting, PageGate } from "../capability.ts";
import { databaseMetrics } from "../database/database-metrics.ts";
import { DatabaseReadiness, isReady } from "../database/readiness.ts";
import { type Sweep, Sweeper } from "../database/sweeper.ts";
import { throttleSweep } from "../database/throttle.ts";
import { idempotencySweep } from "../idempotency/answer-store.ts";
import { processMetrics } from "../observe/process-metrics.ts";
import { requestRecordKey } from "../observe/request-record.ts";
import { outboxMetrics } from "../outbox/outbox-metrics.ts";
import { DeliveryWorker } from "../outbox/worker.ts";
import { quotaMetrics } from "../quota/quota-metrics.ts";
import { quotaSweep } from "../quota/quota-store.ts";
import { revocationMetrics } from "../revocation/revocation-metrics.ts";
import { revocationSweep } from "../revocation/revocation-store.ts";
import { createAddressGate } from "../rpc/allowed-networks.ts";
import { currentApiVersion } from "../rpc/api-versions.ts";
import { authorizePage } from "../rpc/authorize-page.ts";
import { createChain } from "../rpc/chain.ts";
import { grpcServices } from "../rpc/grpc-services.ts";
import { createMalformedRequests } from "../rpc/malformed-request.ts";
import { pathsForPages } from "../rpc/paths-for-pages.ts";
import { createRestGateway } from "../rpc/rest-gateway.ts";
import { createRpcHandlers } from "../rpc/router.ts";
import { createShedCalls } from "../rpc/shed-calls.ts";
import { answerUnknownRpc, isGrpc } from "../rpc/unknown-rpc.ts";
import { createErrorReporter } from "../rpc/wire-errors.ts";
import { certificateMetrics } from "../server/certificate-metrics.ts";
import type { CertificateSource } from "../server/certificate-source.ts";
import { createCors } from "../server/cors.ts";
import { livenessPage, readinessPage } from "../server/health.ts";
import { LoadShedder, type Shedding, type ShedOrder } from "../server/load-shedder.ts";
import { type MetricsReaders, metricsPage } from "../server/metrics-page.ts";
import { answerNotFound } from "../server/not-found-page.ts";
import { openOnePort } from "../server/one-port.ts";
import { overloadMetrics } from "../server/overload-metrics.ts";
import { type CallHandler, createRequestHandler, type Page } from "../server/request-handler.ts";
import { RequestMetrics } from "../server/request-metrics.ts";
import { serverOptionsPage } from "../server/server-options-page.ts";
import type { Siblings } from "../workers/worker-channel.ts";
import { joinContributed } from "./check-capabilities.ts";
import type { ResourceStack } from "./resource-stack.ts";
import type { ServerConfig } from "./server-config.ts";
import type { StartedPlatform } from "./start-platform.ts";
import { version } from "./start-report.ts";

/** A running server. */
export interface ServingServer extends Greeting {
  readonly url: string;
  /** Reports not ready and keeps serving for `drainSeconds`, or until the signal aborts. Never rejects. */
  drain(signal?: AbortSignal): Promise<void>;
  /** Starts no more deliveries and sweeps while the last requests are finished. */
  stopBeginning(): void;
}

/** What a capability contributes, with the capability's name. */
export type NamedContribution = Contribution & { readonly name: string };

export interface ServeOptions {
  readonly config: ServerConfig;
  readonly contributions: readonly NamedContribution[];
  /** Undefined: the port does not speak TLS. */
  readonly certificate: CertificateSource | undefined;
  readonly sweepIntervalMs: number;
  /** Default: refuses calls while the server is overloaded. */
  readonly shedding: Shedding | undefined;
  /** The part of the closing time that requests and messages leave for the other resources. */
  readonly closeReserveMs: number;
}

/** Starts deliveries and sweeps, then opens the port. Everything that has to be closed is added to `resources`. */
export async function serve(
  platform: StartedPlatform,
  options: ServeOptions,
  resources: ResourceStack,
): Promise<ServingServer> {
  const { config, contributions, certificate, closeReserveMs } = options;
  const { database, connection, clock, logger, keyring, revocation, siblings, url } = platform;
  checkScopes(platform.scopes, contributions);
  /** What all capabilities contribute of one kind, by name. */
  const joined = <T>(
    what: string,
    entriesOf: (contribution: Contribution) => Iterable<readonly [string, T]>,
    ownEntries: readonly (readonly [string, T])[] = [],
  ) =>
    joinContributed(what, [
      { capability: "the server", entries: ownEntries },
      ...contributions.map((contribution) => ({ capability: contribution.name, entries: entriesOf(contribution) })),
    ]);

  const lanes = Object.fromEntries(joined("the lane", ({ lanes = {} }) => Object.entries(lanes)));
  const laneGroups = Object.fromEntries(
    joined("the group of lanes", ({ laneGroups = {} }) => Object.entries(laneGroups)),
  );
  const outbox = outboxMetrics({ database, clock, lanes: Object.keys(lanes), groups: Object.keys(laneGroups) });
  const worker = new DeliveryWorker({
    database,
    clock,
    logger,
    serverId: platform.serverId,
    senders: Object.fromEntries(joined("the sender", ({ senders = {} }) => Object.entries(senders))),
    lanes,
    laneGroups,
    onAttempt: outbox.onAttempt,
    onFinished: () => platform.events.committed(),
    tracing: platform.tracing,
  });
  platform.worker.give(worker);
  worker.start();
  platform.events.start();
  resources.add("messages", (withinMs) => worker.stop(Math.max(0, withinMs - closeReserveMs)));
  const sweeper = new Sweeper({
    database,
    logger,
    intervalMs: options.sweepIntervalMs,
    sweeps: [
      ...joined(
        "the sweep",
        ({ sweeps = [] }) => sweeps.map(withName),
        [
          idempotencySweep({ database }),
          throttleSweep({ database }),
          quotaSweep({ database }),
          usedSignatureSweep({ database }),
          revocationSweep({ database }),
        ].map(withName),
      ).values(),
    ],
  });
  sweeper.start();
  resources.add("sweeps", () => sweeper.stop());

  const capabilityServices = contributions.flatMap((contribution) => contribution.services ?? []);
  const services = capabilityServices.map(({ binding }) => binding);
  const descriptors = services.map(({ service }) => service);
  const serviceOf = new Map(capabilityServices.map((each) => [each.binding.service, each]));
  const draining = new AbortController();
  const closing = new AbortController();
  const shutdown = new AbortController();
  const readiness = new DatabaseReadiness({ connection, clock, pool: () => database.poolUse });
  resources.add("readiness", () => readiness.close());
  const standardServices = grpcServices({
    services: descriptors,
    reflection: config.grpcReflection,
    isReady: async () => !draining.signal.aborted && isReady(await readiness.state()),
    clock,
    draining: draining.signal,
    closing: closing.signal,
  });

  const errors = createErrorReporter(logger, () => `${url()}/docs/errors`);
  // A kind of credential that no capability handles belongs to nobody.
  const nobody = async () => undefined;
  const authenticator: Authenticator = {
    authenticateKey: nobody,
    authenticateSession: nobody,
    ...Object.fromEntries(
      joined<unknown>("the authenticator's", ({ authenticator = {} }) => Object.entries(authenticator)),
    ),
  };
  const chain = createChain({
    services: descriptors,
    openServices: standardServices.map(({ service }) => service),
    authenticator,
    revocation,
    errors,
    quota: platform.quota,
    clock,
    idempotency: {
      database,
      keyring,
      logger,
      beforeComparison: async (repetition) => serviceOf.get(repetition.method.parent)?.beforeComparison?.(repetition),
      beforeReplay: async ({ parent }) => serviceOf.get(parent)?.beforeReplay?.(),
    },
    endsAtDeadline: (method) => serviceOf.get(method.parent)?.endsAtDeadline !== false,
    fieldChecks: capabilityServices.flatMap(({ fieldChecks = [] }) => fieldChecks),
    isTraced: platform.tracing !== undefined,
  });
  const gateway = createRestGateway(services, chain, errors, shutdown.signal);
  const metrics = new Registry();
  const requests = new RequestMetrics();
  for (const metric of [
    ...processMetrics(version),
    ...requests.metrics,
    ...databaseMetrics(database),
    ...outbox.metrics,
    ...quotaMetrics(platform.quota),
    ...revocationMetrics(revocation),
    ...certificateMetrics(certificate),
    ...contributions.flatMap((contribution) => contribution.metrics ?? []),
  ]) {
    metrics.registerMetric(metric);
  }
  siblings.shareMetrics(metrics);
  // For the API's paths and unknown ones. No page may be read by another origin, least of all the inbox.
  const cors = createCors(config.corsOrigins, pathsForPages(gateway.routes));
  const rpcHandlers = createRpcHandlers(services, standardServices, chain, errors, shutdown.signal);
  const gate: PageGate = {
    errors,
    admit: (method, request, header) => authorizePage({ chain, authenticator, method }, request, header),
  };
  const pagesOf = new Map<Contribution, ReadonlyMap<string, Page>>();
  for (const contribution of contributions) {
    pagesOf.set(contribution, (await contribution.pages?.(descriptors)) ?? new Map());
  }
  const probes: readonly (readonly [string, Page])[] = [
    ["/healthz", livenessPage],
    ["/readyz", readinessPage(readiness, draining.signal)],
    ["/metrics", metricsPage(metrics.contentType, () => siblings.readMetrics(), metricsReaders(config))],
  ];
  const probePaths: ReadonlySet<string> = new Set(probes.map(([path]) => path));
  /** What load balancers and Prometheus ask for again and again. */
  const isProbe = (route: string) => probePaths.has(route) || route.startsWith(`/${Health.typeName}/`);
  const callbacksOf = (contribution: Contribution) => [...(contribution.callbacks?.() ?? [])];
  const pages = joined(
    "the page",
    (contribution) => [...(pagesOf.get(contribution) ?? []), ...callbacksOf(contribution)],
    [["*", serverOptionsPage], ...probes],
  );
  const calls = joined(
    "the call",
    (contribution) => contribution.calls?.(gate) ?? [],
    [...rpcHandlers].map(([path, handler]): [string, CallHandler] => [path, cors.allow(handler)]),
  );
  const shedding = options.shedding ?? startShedding(platform, resources);
  const overload = overloadMetrics(shedding, metrics);
  const { allowedNetworks } = config;
  const callbackPaths = new Set(contributions.flatMap(callbacksOf).map(([path]) => path));
  const addressGate =
    allowedNetworks.length === 0
      ? undefined
      : createAddressGate({
          networks: allowedNetworks,
          isOpen: (path) => isProbe(path) || callbackPaths.has(path),
          isRpc: (path) => rpcHandlers.has(path),
          errors,
        });
  const malformed = createMalformedRequests(errors, logger, cors);
  const accept = siblings.accept?.bind(siblings);
  const port = await openOnePort({
    host: config.host,
    port: config.port,
    ...(certificate === undefined ? {} : { tls: { ...certificate.current, ...(await sharedTickets(siblings)) } }),
    ...(accept === undefined
      ? {}
      : { acceptElsewhere: (take) => accept({ host: config.host, port: config.port }, take) }),
    onRequest: createRequestHandler({
      clock,
      logger,
      proxyTrust: config.proxyTrust,
      addressGate: addressGate && { ...addressGate, refuse: cors.allow(addressGate.refuse) },
      metrics: requests,
      isLogged: (route, status) => config.logProbes === "on" || status >= 400 || !isProbe(route),
      onKeyAnswered: (...answered) => {
        for (const contribution of contributions) {
          contribution.onKeyAnswered?.(...answered);
        }
      },
      tracing: platform.tracing && {
        begin: platform.tracing.begin,
        untracedPaths: new Set(probes.map(([path]) => path)),
        isRpc: (route) => rpcHandlers.has(route),
      },
      apiVersion: currentApiVersion,
      refuse: createShedCalls({
        shedding,
        orders: shedOrdersOf(capabilityServices),
        routes: gateway.routes,
        errors,
        cors,
        metrics: requests,
        ...overload,
      }),
      pages,
      calls,
      rest: cors.allow(async (request) => {
        const answer = await gateway.handle(request);
        if (answer.status !== 404 || request.contextValues?.get(requestRecordKey).route !== undefined) {
          return answer;
        }
        return isGrpc(request) ? answerUnknownRpc(errors, request) : answerNotFound(request, answer);
      }),
    }),
    onMalformed: malformed.refuse,
    malformedContent: malformed.content,
    onError: (error) => logger.error("port_error", { error }),
  });
  certificate?.follow(port.useCertificate);
  resources.add("requests", async (withinMs) => {
    closing.abort();
    for (const contribution of contributions) {
      contribution.endStreams?.();
    }
    const isFinished = await port.close(Math.max(0, withinMs - closeReserveMs));
    shutdown.abort();
    return isFinished;
  });
  platform.openedUrl.give(config.publicUrl ?? port.url);
  return {
    ...Object.assign({}, ...contributions.map(({ greeting }) => greeting)),
    url: url(),
    async drain(signal) {
      draining.abort();
      port.drain();
      await setTimeout(config.drainSeconds * 1_000, undefined, { ref: false, signal }).catch(() => undefined);
    },
    stopBeginning() {
      draining.abort();
      worker.drain();
      void sweeper.stop();
    },
  };
}

/** TLS sessions that one process has begun can be resumed at another. */
async function sharedTickets({ count, state }: Siblings): Promise<{ readonly ticketKeys?: Buffer }> {
  if (count === 1) {
    return {};
  }
  const secret = await state.secret("TLS tickets");
  return { ticketKeys: createHash("sha512").update(secret).digest().subarray(0, 48) };
}

/** A sweep is claimed by its name: two of one name would keep each other from running. */
const withName = (sweep: Sweep): [string, Sweep] => [sweep.name, sweep];

/** Throws if an RPC requires a scope that no key can have. */
function checkScopes(scopes: readonly string[], contributions: readonly Contribution[]): void {
  const known = new Set(["", ...scopes]);
  for (const { binding } of contributions.flatMap(({ services = [] }) => services)) {
    for (const method of binding.service.methods) {
      const { scope } = accessOf(method);
      if (!known.has(scope)) {
        throw new TypeError(
          `${method.parent.typeName}.${method.name} asks for the scope ${scope}, which no capability lists in its scopes`,
        );
      }
    }
  }
}

function startShedding({ logger, database }: StartedPlatform, resources: ResourceStack): Shedding {
  const shedder = new LoadShedder({ monotonicMs: () => performance.now(), logger, database: database.waits });
  resources.add("load shedding", shedder.start());
  return shedder;
}

/** Throws if a capability marks an RPC that it does not have. */
function shedOrdersOf(services: readonly CapabilityService[]): ReadonlyMap<DescMethod, ShedOrder> {
  return new Map(
    services.flatMap(({ binding, shed = {} }) =>
      Object.entries(shed).map(([name, order]): [DescMethod, ShedOrder] => {
        const method = binding.service.methods.find(({ localName }) => localName === name);
        if (method === undefined) {
          throw new TypeError(`${binding.service.typeName} has no RPC ${name}, which is marked as \`shed\``);
        }
        return [method, order];
      }),
    ),
  );
}

function metricsReaders({ metricsToken, isPublic }: ServerConfig): MetricsReaders {
  if (metricsToken !== undefined) {
    return { token: metricsToken };
  }
  return isPublic ? "nobody" : "this machine";
}
