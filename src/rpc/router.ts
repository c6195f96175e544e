import type { DescService, Registry } from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  createConnectRouter,
  createServiceImplSpec,
  type ServiceImpl,
  type ServiceImplSpec,
} from "@connectrpc/connect";
import type { UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { canonicalizeHeaders } from "./canonical-headers.ts";
import type { Chain } from "./chain.ts";
import { compressions } from "./encoding.ts";
import { maxMessageBytes } from "./message-size.ts";
import { explainRefusals } from "./negotiation.ts";
import { type JsonOptions, lenientJson, strictJson } from "./readable-message.ts";
import { createUnaryHandler } from "./unary-handler.ts";
import type { ErrorReporter } from "./wire-errors.ts";

/** A service and what answers its calls. */
export interface ServiceBinding {
  readonly service: DescService;
  /** The implementation for REST. */
  readonly spec: ServiceImplSpec;
  /** Adds the implementation to a router of Connect's protocols. */
  readonly register: (router: ConnectRouter) => void;
}

/** Binds a service to its implementation, keeping their types together. */
export function bindService<T extends DescService>(service: T, implementation: ServiceImpl<T>): ServiceBinding {
  return {
    service,
    spec: createServiceImplSpec(service, implementation),
    register: (router) => router.service(service, implementation),
  };
}

/** Smaller answers fit one packet as they are. */
const defaultCompressMinBytes = 1_024;

/** What of messages a server may need otherwise than ours does. */
export interface MessageOptions {
  /** The size from which answers are compressed. Default: 1 KiB. */
  readonly compressMinBytes?: number;
  /** The types that a `google.protobuf.Any` may hold in JSON. Default: none. */
  readonly registry?: Registry;
}

/**
 * The handlers of gRPC, gRPC-Web and Connect, by path. `grpcServices` are those of gRPC itself, whose clients are standard
 * ones: their JSON is read as leniently as Connect does by default.
 *
 * Options go to the routers and to no single service: those would replace them, the interceptors among them.
 */
export function createRpcHandlers(
  services: readonly ServiceBinding[],
  grpcServices: readonly ServiceBinding[],
  chain: Chain,
  errors: ErrorReporter,
  shutdownSignal: AbortSignal,
  { registry, compressMinBytes = defaultCompressMinBytes }: MessageOptions = {},
): Map<string, UniversalHandlerFn> {
  const options = {
    interceptors: [...chain.interceptors],
    requestGate: chain.requestGate,
    readMaxBytes: maxMessageBytes,
    acceptCompression: [...compressions],
    shutdownSignal,
  };
  const connectHandlers = (group: readonly ServiceBinding[], json: JsonOptions, compressMinBytes: number) => {
    const router = createConnectRouter({ ...options, jsonOptions: json, compressMinBytes });
    for (const { register } of group) {
      register(router);
    }
    const specs = new Map(group.flatMap(({ spec }) => Object.values(spec.methods).map((each) => [each.method, each])));
    return router.handlers.map((handler): [string, UniversalHandlerFn] => {
      const handle = explainRefusals(handler, errors);
      const spec = specs.get(handler.method);
      const unary = { chain, errors, shutdownSignal, json, compressMinBytes };
      return [handler.requestPath, spec?.kind === "unary" ? createUnaryHandler(spec, handle, unary) : handle];
    });
  };
  const strict = registry === undefined ? strictJson : { ...strictJson, registry };
  const handlers = [
    ...connectHandlers(services, strict, compressMinBytes),
    // Anybody may ask them anything as often as they like: that must not cost a compression each time.
    ...connectHandlers(grpcServices, lenientJson, Number.MAX_SAFE_INTEGER),
  ];
  return new Map(
    handlers.map(([path, handle]) => {
      const handleRequest: UniversalHandlerFn = (request) => {
        canonicalizeHeaders(request.header);
        return handle(request);
      };
      return [path, handleRequest];
    }),
  );
}
