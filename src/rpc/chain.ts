import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import { createInFlightInterceptor } from "../access/abort-on-revocation.ts";
import {
  type Authenticator,
  accessOf,
  authorize,
  reauthorize,
  requiredSignatureOf,
  revocationBasisKey,
  type SenderCheck,
} from "../access/authorize.ts";
import { checkSignature, isSignatureExpected } from "../access/request-signature.ts";
import { type Awaitable, whenReady } from "../awaitable.ts";
import type { Clock } from "../clock.ts";
import { createIdempotencyInterceptor, type IdempotencyOptions } from "../idempotency/idempotency-interceptor.ts";
import { readIdempotencyKey } from "../idempotency/idempotency-key.ts";
import { countRequest } from "../quota/count-request.ts";
import type { Quota } from "../quota/quota.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";
import { rawBodyKey } from "../server/raw-body.ts";
import { requestTargetKey } from "../server/request-target.ts";
import { exposeResponseHeaders } from "../server/response-headers.ts";
import {
  apiVersionHeaders,
  apiVersionKey,
  apiVersions,
  createApiVersionInterceptor,
  resolveApiVersion,
} from "./api-versions.ts";
import { createDeadlineInterceptor, noteDeadline, requireReadableDeadline } from "./deadline.ts";
import { requireKnownEncoding } from "./encoding.ts";
import { checkEnvelopeHeader } from "./envelope.ts";
import { maxRequestBytes } from "./message-size.ts";
import { requireKnownVersion } from "./negotiation.ts";
import { type Reading, readMessage } from "./readable-message.ts";
import { admitInSpan, createTracingInterceptor } from "./traced-calls.ts";
import { compileRequestChecks, createValidationInterceptor, type FieldCheck } from "./validation.ts";
import { createErrorInterceptor, type ErrorReporter, toConnectError } from "./wire-errors.ts";

/**
 * The steps that every call passes, on every protocol. The router and the REST gateway are both built with it:
 *
 *     const chain = createChain({ services, authenticator, quota, fieldChecks, … });
 *     createConnectRouter({ interceptors: [...chain.interceptors], requestGate: chain.requestGate });
 *
 * A new step is an interceptor in `createChain`, at its place in the order.
 */
export interface Chain {
  /** Runs when a call's headers have arrived: admits the caller, then checks that the body can be read. */
  readonly requestGate: (context: HandlerContext) => Awaitable<void>;
  /** The message of a unary call over Connect, gRPC or gRPC-Web that has passed the gate. */
  readonly readMessage: (context: HandlerContext, format: Pick<Reading, "isJson" | "json">) => Promise<Message>;
  /** Run around the implementation. The first one is the outermost. */
  readonly interceptors: readonly Interceptor[];
}

export interface ChainOptions {
  readonly services: readonly DescService[];
  /** Services of gRPC itself (health, reflection): they declare nothing, and anybody may call them. */
  readonly openServices: readonly DescService[];
  readonly authenticator: Authenticator;
  readonly revocation: Pick<RevocationService, "track" | "catchUp">;
  readonly errors: ErrorReporter;
  readonly fieldChecks: readonly FieldCheck[];
  readonly quota: Quota;
  readonly clock: Clock;
  readonly idempotency: IdempotencyOptions;
  /** Which RPCs end when their client waits no longer: those that commit once at most. */
  readonly endsAtDeadline: (method: DescMethod) => boolean;
  /** Whether calls have spans. Default: no. */
  readonly isTraced?: boolean;
}

/** Builds the chain for the services. Throws if one of their RPCs does not declare who may call it. */
export function createChain(options: ChainOptions): Chain {
  const { authenticator, errors, revocation, quota, clock, isTraced = false } = options;
  const accessByMethod = new Map(
    options.services.flatMap((service) => service.methods.map((m) => [m, accessOf(m)] as const)),
  );
  const isOpen = new Set(options.openServices);
  const checkRequest = compileRequestChecks(options.services, options.fieldChecks);
  const checkSigned: SenderCheck = (
    caller,
    credential,
    { method, requestHeader, requestMethod, protocolName, values },
  ) => {
    const required = requiredSignatureOf(caller);
    return isSignatureExpected(requestHeader, required)
      ? checkSignature({
          headers: requestHeader,
          protocolName,
          credential,
          method: requestMethod,
          target: values.get(requestTargetKey),
          required,
          nowMs: () => clock.now().getTime(),
          readBody: async () => (await values.get(rawBodyKey)?.read(maxRequestBytes(method))) ?? new Uint8Array(),
        })
      : undefined;
  };
  const admit = (context: HandlerContext): Awaitable<void> => {
    exposeResponseHeaders(context);
    const required = accessFor(accessByMethod, context.method);
    const authorized = authorize(authenticator, required, context, checkSigned);
    const counted = whenReady(authorized, (caller) => caller && countRequest({ quota, clock }, caller, context));
    return whenReady(counted, () => {
      readPreferences(context);
      // Read again by its interceptor; here because a malformed header is refused before the fields are looked at, and by every
      // call, also by those that need no key.
      readIdempotencyKey(context.requestHeader, context.values);
    });
  };
  const checkProtocol = (context: HandlerContext): void => {
    if (context.protocolName !== "rest") {
      requireKnownVersion(context);
      requireKnownEncoding(context);
      requireReadableDeadline(context);
    }
  };
  return {
    requestGate(context) {
      const refuse = (error: unknown): never => {
        // REST has errors of its own: one in Connect's form would be taken apart again.
        throw context.protocolName === "rest" ? error : toConnectError(errors, error, context.values);
      };
      try {
        noteDeadline(context);
        const admitted = isOpen.has(context.service)
          ? undefined
          : isTraced
            ? admitInSpan(() => admit(context))
            : admit(context);
        const passed = whenReady(admitted, () => checkProtocol(context));
        return passed instanceof Promise ? passed.catch(refuse) : passed;
      } catch (error) {
        return refuse(error);
      }
    },
    async readMessage(context, format) {
      try {
        return await readMessage(context, {
          ...format,
          checkRequest: isOpen.has(context.service) ? undefined : checkRequest,
        });
      } catch (error) {
        throw toConnectError(errors, error, context.values);
      }
    },
    interceptors: [
      ...(isTraced ? [createTracingInterceptor()] : []),
      createErrorInterceptor(errors),
      createInFlightInterceptor({
        revocation,
        clock,
        basisOf: ({ contextValues }) => contextValues.get(revocationBasisKey),
        reauthorize: ({ method, header, contextValues, url }) =>
          reauthorize(authenticator, accessFor(accessByMethod, method), { header, values: contextValues, url }),
      }),
      createApiVersionInterceptor(apiVersions),
      createValidationInterceptor(checkRequest, (service) => !isOpen.has(service)),
      createDeadlineInterceptor(options.endsAtDeadline),
      createIdempotencyInterceptor(options.idempotency),
    ],
  };
}

/** What a request says of the answers that it understands: the version of the API, and whether in an envelope. */
function readPreferences({ requestHeader, responseHeader, values }: HandlerContext): void {
  const version = resolveApiVersion(apiVersions, requestHeader);
  values.set(apiVersionKey, version.version);
  const headers = apiVersionHeaders(version);
  for (const name in headers) {
    responseHeader.set(name, headers[name] ?? "");
  }
  checkEnvelopeHeader(requestHeader);
}

function accessFor<T>(accessByMethod: ReadonlyMap<DescMethod, T>, method: DescMethod): T {
  const access = accessByMethod.get(method);
  if (access === undefined) {
    throw new TypeError(`${method.parent.typeName}.${method.name} is not among the services of the chain`);
  }
  return access;
}
