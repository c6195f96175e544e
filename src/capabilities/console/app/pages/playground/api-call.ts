import { getOption, hasOption, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { type JsonStyle, protoJson, restJson } from "@byond/rest/json/json-style";
import { omit_unset as omitUnset, word } from "#gen/byond/v1/access_pb.ts";
import { type DraftMessage, messageDraft, messageToJson, textDraft } from "./draft.ts";
import type { Operation } from "./operations.ts";

/** JSON as the server's REST interface writes it. */
export const restStyle: JsonStyle = {
  ...restJson,
  enumWord: (value) => (hasOption(value, word) ? getOption(value, word) : undefined),
  omitsUnset: (field) => getOption(field, omitUnset),
};

/** What the call is made with. */
export type CredentialKind = "key" | "session" | "none";

/** What somebody has typed for a call. */
export interface CallInput {
  readonly draft: DraftMessage;
  readonly credential: CredentialKind;
  /** The mode that a session names. */
  readonly mode: "live" | "test";
  /** Empty: none. */
  readonly idempotencyKey: string;
}

/** A call as it is made over REST and over gRPC. */
export interface ApiCall {
  readonly operation: Operation;
  readonly credential: CredentialKind;
  readonly httpMethod: string;
  /** Below the server's address, with the query. Fields of the path that are not given stand in it as `VERIFICATION_ID`. */
  readonly target: string;
  readonly body: JsonObject | undefined;
  /** Beside those of the credential and of the body. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The request message in ProtoJSON. */
  readonly message: JsonObject;
  /** Fields of the path that are not given. Without them there is no address to call. */
  readonly missing: readonly string[];
}

export function buildCall(operation: Operation, input: CallInput): ApiCall {
  const { route, method, access, isStream } = operation;
  const { draft, credential, mode, idempotencyKey } = input;
  const json = messageToJson(method.input, draft, restStyle);
  const inPath = route.pathParameters.map(({ fieldPath }) => fieldPath);
  const { body, query } = split(operation, json, inPath, draft);
  const path = route.template.replace(/\{([^}=]+)[^}]*\}/g, (_, name: string) =>
    encode(textDraft(draft[name]) || name.toUpperCase()),
  );
  return {
    operation,
    credential,
    httpMethod: route.httpMethod,
    target: query === "" ? path : `${path}?${query}`,
    body,
    headers: [
      ...(credential === "session" && access.byMode ? [["Byond-Mode", mode] as const] : []),
      ...(idempotencyKey === "" || isStream ? [] : [["Idempotency-Key", idempotencyKey] as const]),
    ],
    message: messageToJson(method.input, draft, protoJson),
    missing: inPath.filter((name) => textDraft(draft[name]) === ""),
  };
}

/** What of the message is in the body, and in the query. */
function split({ route }: Operation, json: JsonObject, inPath: readonly string[], draft: DraftMessage) {
  const rest = Object.entries(json).filter(([name]) => !inPath.includes(name));
  switch (route.body.kind) {
    case "message":
      return { body: Object.fromEntries(rest), query: "" };
    case "field": {
      const { field } = route.body;
      const body = field.message && messageToJson(field.message, messageDraft(draft[field.name]), restStyle);
      return { body, query: queryOf(rest.filter(([name]) => name !== field.name)) };
    }
    case "none":
      return { body: undefined, query: queryOf(rest) };
  }
}

function queryOf(members: readonly (readonly [name: string, value: JsonValue])[]): string {
  return members
    .flatMap(([name, value]) => parametersOf(name, value))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join("&");
}

function parametersOf(name: string, value: JsonValue): (readonly [name: string, value: string])[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => parametersOf(name, item));
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([inner, member]) => parametersOf(`${name}.${inner}`, member));
  }
  return value === null ? [] : [[name, String(value)]];
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
