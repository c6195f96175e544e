import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import type { RevocationService } from "../revocation/revocation-service.ts";
import { type Authenticator, accessOf, admit, authorize, groundsKey } from "./access.ts";
import { createErrorInterceptor, type ErrorReporter, toConnectError } from "./errors.ts";
import { createInFlightInterceptor } from "./in-flight.ts";
import { createValidationInterceptor, type FieldCheck } from "./validation.ts";

/** What every call passes, on every protocol. */
export interface Chain {
  /** Runs when a call's headers are there and nothing of its body is read: who calls, and whether they may. */
  readonly requestGate: (context: HandlerContext) => Promise<void>;
  /** Run around the implementation, the first one outermost. */
  readonly interceptors: readonly Interceptor[];
}

export interface ChainOptions {
  readonly services: readonly DescService[];
  /** Services of gRPC itself (health, reflection): they declare nothing, and anybody may call them. */
  readonly openServices: readonly DescService[];
  readonly authenticator: Authenticator;
  readonly track: RevocationService["track"];
  readonly errors: ErrorReporter;
  readonly fieldChecks: readonly FieldCheck[];
}

/** Builds the chain for the services. Throws if one of their RPCs does not declare who may call it. */
export function createChain(options: ChainOptions): Chain {
  const { authenticator, errors, track } = options;
  const accessByMethod = new Map(
    options.services.flatMap((service) => service.methods.map((m) => [m, accessOf(m)] as const)),
  );
  const isOpen = new Set(options.openServices);
  return {
    async requestGate(context) {
      if (isOpen.has(context.service)) {
        return;
      }
      try {
        await authorize(authenticator, accessFor(accessByMethod, context.method), context);
      } catch (error) {
        throw toConnectError(errors, error, context.values);
      }
    },
    interceptors: [
      createErrorInterceptor(errors),
      createInFlightInterceptor({
        track,
        groundsOf: ({ contextValues }) => contextValues.get(groundsKey),
        async readmit({ method, header, contextValues }) {
          const required = accessFor(accessByMethod, method);
          return (await admit(authenticator, required, { header, values: contextValues }))?.grounds;
        },
      }),
      createValidationInterceptor(options.fieldChecks),
    ],
  };
}

function accessFor<T>(accessByMethod: ReadonlyMap<DescMethod, T>, method: DescMethod): T {
  const access = accessByMethod.get(method);
  if (access === undefined) {
    throw new TypeError(`${method.parent.typeName}.${method.name} is not among the services of the chain`);
  }
  return access;
}
