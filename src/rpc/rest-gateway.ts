import { getOption, hasOption } from "@bufbuild/protobuf";
import { createGateway, type Gateway } from "@byond/rest/gateway";
import type { Route } from "@byond/rest/route";
import { rest } from "../../gen/byond/v1/access_pb.ts";
import { requestRecordKey } from "../observe/request-record.ts";
import type { Chain } from "./chain.ts";
import { csvForm } from "./csv-form.ts";
import { wantsEnvelope, wrapInEnvelope } from "./envelope.ts";
import { eventStreamFields } from "./event-stream-fields.ts";
import { maxRequestBytes } from "./message-size.ts";
import { restErrorAnswer } from "./rest-errors.ts";
import { restStyle } from "./rest-style.ts";
import type { ServiceBinding } from "./router.ts";
import type { ErrorReporter } from "./wire-errors.ts";

/** REST in front of the same chain as gRPC: the house's JSON, its errors and its statuses. */
export function createRestGateway(
  services: readonly ServiceBinding[],
  chain: Chain,
  errors: ErrorReporter,
  shutdownSignal: AbortSignal,
): Gateway {
  return createGateway({
    services: services.map(({ spec }) => spec),
    interceptors: chain.interceptors,
    requestGate: chain.requestGate,
    json: restStyle,
    maxBodyBytes: maxRequestBytes,
    shutdownSignal,
    eventStream: eventStreamFields,
    otherForm: csvForm,
    successStatus: (method) => (hasOption(method, rest) && getOption(method, rest).successStatus) || 200,
    errorResponse: (error, { values, route }) =>
      restErrorAnswer(errors, error, values.get(requestRecordKey), bodyFieldOf(route)),
    wrapBody: (header) => (wantsEnvelope(header) ? wrapInEnvelope : undefined),
    onRoute(route, values) {
      values.get(requestRecordKey).route = `${route.httpMethod} ${route.template}`;
    },
  });
}

function bodyFieldOf(route: Route | undefined): string | undefined {
  return route?.body.kind === "field" ? route.body.field.name : undefined;
}
