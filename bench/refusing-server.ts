/**
 * Byond's port, as it is while every lookup and every start is refused because of overload. What `bench/overload.ts` measures the cost of a refusal with.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import { createGateway } from "@byond/rest/gateway";
import { restJson } from "@byond/rest/json/json-style";
import { createServiceImplSpec } from "@connectrpc/connect";
import { Counter } from "prom-client";
import { LookupService } from "../gen/byond/v1/lookup_pb.ts";
import { VerifyService } from "../gen/byond/v1/verify_pb.ts";
import { systemClock } from "../src/clock.ts";
import { createLogger } from "../src/observe/log.ts";
import { createShedCalls } from "../src/rpc/shed-calls.ts";
import { createErrorReporter } from "../src/rpc/wire-errors.ts";
import { createCors } from "../src/server/cors.ts";
import type { ShedOrder } from "../src/server/load-shedder.ts";
import { openOnePort } from "../src/server/one-port.ts";
import { createRequestHandler } from "../src/server/request-handler.ts";
import { RequestMetrics } from "../src/server/request-metrics.ts";

const services = [LookupService, VerifyService];
const logger = createLogger((line) => process.stderr.write(line));
const metrics = new RequestMetrics();
const { routes } = createGateway({
  services: services.map((service) => createServiceImplSpec(service, {})),
  interceptors: [],
  json: restJson,
  errorResponse: () => ({ status: 500, body: {} }),
});
const neverCalled = () => {
  throw new Error("nothing is served here");
};
const port = await openOnePort({
  host: "127.0.0.1",
  port: 0,
  onRequest: createRequestHandler({
    clock: systemClock,
    logger,
    proxyTrust: { header: "x-forwarded-for", trustedProxies: [] },
    metrics,
    apiVersion: "2026-06-15",
    pages: new Map(),
    calls: new Map(),
    rest: neverCalled,
    refuse: createShedCalls({
      shedding: { arrived: () => undefined, isActive: true, sheds: () => true },
      orders: new Map<DescMethod, ShedOrder>([
        [LookupService.method.lookupNumber, "first"],
        [VerifyService.method.startVerification, "second"],
      ]),
      routes,
      errors: createErrorReporter(logger, () => "http://127.0.0.1/docs/errors"),
      cors: createCors([]),
      metrics,
      refusedCalls: new Counter({ name: "c", help: "c", labelNames: ["route"], registers: [] }),
    }),
  }),
  onMalformed: (response) => response.destroy(),
  malformedContent: () => ({ headers: {}, body: "" }),
  onError: (error) => console.error(error),
});
console.log(`listening on ${port.url}`);
