/** Implementations of all services that answer by the request alone: with a message, headers and trailers, or an error. */
import { type DescMethodUnary, type DescService, type Message, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createMethodImplSpec, type HandlerContext } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../../gen/byond/v1/error_pb.ts";
import { AppError } from "../../../src/errors.ts";
import type { ServiceBinding } from "../../../src/rpc/router.ts";
import { Random } from "../../support/random.ts";
import { generateMessage, tame } from "./generated-message.ts";

/** Binds a service to an implementation of its unary RPCs. Others are not implemented. */
export function bindStub(service: DescService): ServiceBinding {
  const methods = service.methods.filter((method): method is DescMethodUnary => method.methodKind === "unary");
  const implementations = methods.map((method) => ({
    method,
    implement: async (request: Message, context: HandlerContext) => answer(method, request, context),
  }));
  const specs = implementations.map(({ method, implement }) => createMethodImplSpec(method, implement));
  return {
    service,
    spec: { service, methods: Object.fromEntries(specs.map((spec) => [spec.method.localName, spec])) },
    register: (router) => {
      for (const { method, implement } of implementations) {
        router.rpc(method, implement);
      }
    },
  };
}

function answer(method: DescMethodUnary, request: Message, context: HandlerContext): Message {
  const { responseHeader, responseTrailer } = context;
  const random = new Random(hashOf(`${method.name}${Buffer.from(toBinary(method.input, request)).toString("base64")}`));
  responseHeader.set("stub-context", seen(context));
  if (random.chance(0.5)) {
    responseHeader.append("stub-header", random.pick(["one", "a, b", "", "é".normalize("NFD").slice(0, 1)]));
    responseHeader.append("stub-header", "another");
  }
  if (random.chance(0.5)) {
    responseTrailer.set("stub-trailer", random.pick(["plain", "with blanks ", "a: b"]));
    responseTrailer.set("stub-bin", "AAH/");
  }
  switch (Math.floor(random.next() * 12)) {
    case 0:
      throw new AppError(
        random.pick(["not_found", "rate_limited", "already_exists", "internal"]),
        "No such thing: é%.",
        {
          ...(random.chance(0.5) ? { retryAfterSeconds: 7 } : {}),
          ...(random.chance(0.2) ? { rpcCode: Code.DataLoss } : {}),
        },
      );
    case 1:
      throw new ConnectError(
        "told by the implementation",
        random.pick([Code.Aborted, Code.NotFound, Code.Unauthenticated]),
        {
          "stub-metadata": "of the error",
          "content-length": "1",
        },
      );
    case 2:
      throw new ConnectError("with a detail of its own", Code.OutOfRange, { "stub-metadata": "x" }, [
        { desc: ErrorInfoSchema, value: { code: "limit_reached", message: "Enough." } },
      ]);
    case 3:
      throw new TypeError("a fault of the implementation");
    default:
      return generateMessage(random, method.output, tame);
  }
}

/** What an implementation can ask of its call. Of the time that is left, whether there is a limit. */
function seen(context: HandlerContext): string {
  const { service, method, protocolName, requestMethod, requestHeader, url } = context;
  const { pathname, searchParams } = new URL(url);
  return JSON.stringify({
    rpc: `${service.typeName}/${method.name}`,
    protocolName,
    requestMethod,
    pathname,
    encoding: searchParams.get("encoding"),
    timeout: context.timeoutMs() === undefined ? "none" : "some",
    isAborted: context.signal.aborted,
    own: requestHeader.get("fuzz-own"),
    version: requestHeader.get("byond-version"),
  });
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}
