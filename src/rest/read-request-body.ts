import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { ViolationCollector } from "./field-violations.ts";
import { GatewayError } from "./gateway-error.ts";
import type { HttpBody } from "./gen/google/api/httpbody_pb.ts";
import { takesHttpBody, toHttpBody } from "./google-http-body.ts";
import { isListWrapper, type JsonStyle, jsonFieldName } from "./json/json-style.ts";
import { checkDepth, parseJson } from "./json/parse-json.ts";
import { isMembers } from "./json/value-type.ts";
import { requireJson } from "./media-type.ts";
import { mayHaveContent, readRequestContent, rejectContent } from "./request-content.ts";
import type { Route } from "./route.ts";

/** Throws on invalid UTF-8, and drops a byte order mark, as RFC 8259 §8.1 allows and Connect does. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The body of a request: JSON, or raw bytes for `google.api.HttpBody`. */
export type BodyValue =
  | { readonly kind: "empty" }
  | { readonly kind: "json"; readonly json: unknown }
  | { readonly kind: "bytes"; readonly httpBody: HttpBody };

const empty: BodyValue = { kind: "empty" };

/**
 * Reads the body of a request as its route declares it. Names that occur twice in a JSON object are reported as violations.
 *
 * Throws `payload-too-large`, `unsupported-media-type`, or `malformed-body`: not JSON, not UTF-8, nested too deeply, not an
 * object although the body is a message, or content although the RPC takes none.
 *
 * No promise where there is nothing to read.
 */
export function readRequestBody(
  request: UniversalServerRequest,
  route: Route,
  style: JsonStyle,
  maxBytes: number,
  violations: ViolationCollector,
): BodyValue | Promise<BodyValue> {
  if (route.body.kind !== "none") {
    return readContent(request, route, style, maxBytes, violations);
  }
  return mayHaveContent(request) ? rejectContent(request, maxBytes).then(() => empty) : empty;
}

async function readContent(
  request: UniversalServerRequest,
  route: Route,
  style: JsonStyle,
  maxBytes: number,
  violations: ViolationCollector,
): Promise<BodyValue> {
  const { body } = route;
  const content = await readRequestContent(request, maxBytes);
  if (content.kind === "empty") {
    return empty;
  }
  if (content.kind === "bytes" && takesHttpBody(route)) {
    return { kind: "bytes", httpBody: toHttpBody(content.bytes, request.header) };
  }
  let json: unknown;
  if (content.kind === "parsed") {
    checkDepth(content.json);
    json = content.json;
  } else {
    requireJson(request.header);
    const text = decode(content.bytes);
    if (body.kind === "field") {
      violations.enter(jsonFieldName(body.field, style));
      json = parseJson(text, violations);
      violations.leave();
    } else {
      json = parseJson(text, violations);
    }
  }
  if (isObjectExpected(route, style) && !isMembers(json)) {
    throw new GatewayError("malformed-body", "The request body must be a JSON object.");
  }
  return { kind: "json", json };
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new GatewayError("malformed-body", "The request body is not valid UTF-8.", { cause });
  }
}

/** Whether the body is a message that JSON writes as an object. */
function isObjectExpected({ body, method }: Route, style: JsonStyle): boolean {
  if (body.kind === "field") {
    const { field } = body;
    const isList = field.message !== undefined && style.unwrapsLists && isListWrapper(field.message);
    return field.fieldKind === "message" && !isList && !hasCustomJsonRepresentation(field.message);
  }
  return !hasCustomJsonRepresentation(method.input);
}
