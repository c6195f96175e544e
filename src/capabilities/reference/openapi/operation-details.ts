import { getOption, hasOption, type JsonObject } from "@bufbuild/protobuf";
import type { OperationDetails, OperationFacts } from "@byond/rest/openapi/operation";
import { type Access, access, Credential, rest } from "../../../../gen/byond/v1/access_pb.ts";
import { codeSamples, type SampleCall } from "./code-samples.ts";
import type { ErrorResponses } from "./error-responses.ts";
import { errorsOf, refusesSandboxKeys, useOfIdempotencyKey } from "./operation-errors.ts";

/** Documents what the generic OpenAPI builder does not know: credentials, errors, headers, `Idempotency-Key`, code samples. */
export function operationDetails(facts: OperationFacts, baseUrl: string, errors: ErrorResponses): OperationDetails {
  const { method } = facts.route;
  if (!hasOption(method, access)) {
    throw new TypeError(`${method.parent.typeName}.${method.name} does not declare (byond.v1.access)`);
  }
  const required = getOption(method, access);
  const { credential } = required;
  const keyUse = useOfIdempotencyKey(method, required);
  const status = hasOption(method, rest) ? getOption(method, rest).successStatus : 0;
  const codes = errorsOf({ ...facts, access: required });
  // A comment that mentions the scope replaces the note.
  const notes = [
    ...(facts.comment.includes("scope") ? [] : [scopeNote(required)]),
    ...(refusesSandboxKeys(required) ? ["Sandbox keys are refused with `insufficient_scope`."] : []),
  ];
  return {
    successStatus: status === 0 ? 200 : status,
    responseHeaders: {
      "X-Request-Id": { $ref: "#/components/headers/RequestId" },
      "Byond-Version": { $ref: "#/components/headers/Version" },
      ...(credential === Credential.NONE
        ? {}
        : {
            "X-RateLimit-Limit": { $ref: "#/components/headers/RateLimitLimit" },
            "X-RateLimit-Remaining": { $ref: "#/components/headers/RateLimitRemaining" },
            "X-RateLimit-Reset": { $ref: "#/components/headers/RateLimitReset" },
          }),
      ...(keyUse === "replay" ? { "Idempotent-Replayed": { $ref: "#/components/headers/IdempotentReplayed" } } : {}),
    },
    responses: errors.referTo(codes),
    parameters: [...idempotencyParameters[keyUse], ...(required.byMode ? ["Mode"] : [])].map((name) => ({
      $ref: `#/components/parameters/${name}`,
    })),
    notes: notes.filter((note) => note !== ""),
    members: {
      security: securityOf(required),
      "x-codeSamples": codeSamples({
        method: facts.route.httpMethod,
        url: baseUrl + fillPath(facts),
        query: sampleQuery(facts),
        body: facts.bodyExample,
        credential: sampleCredential(required),
        isStream: method.methodKind === "server_streaming",
      }),
    },
  };
}

const idempotencyParameters = {
  replay: ["IdempotencyKey"],
  accepted: ["AcceptedIdempotencyKey"],
  none: [],
} as const satisfies Record<ReturnType<typeof useOfIdempotencyKey>, readonly string[]>;

/** The security requirements: a key in either form, or a session. The values are the scopes that the key needs. */
function securityOf(access: Access): JsonObject[] {
  const { credential, scope } = access;
  const scopes = scope === "" ? [] : [scope];
  const key = [{ ApiKey: scopes }, { BearerKey: scopes }];
  switch (credential) {
    case Credential.API_KEY:
      return key;
    case Credential.SESSION:
      return [{ Session: [] }];
    case Credential.API_KEY_OR_SESSION:
      return isDataPlane(access) ? [...key, { Session: [] }] : [{ Session: [] }, ...key];
    default:
      return [];
  }
}

function scopeNote({ scope, namedScope }: Access): string {
  if (scope === "") {
    return "";
  }
  if (namedScope) {
    return `The API key must name the scope \`${scope}\` or \`*\`.`;
  }
  return scope === "*"
    ? "An API key needs the scope `*`, or no restriction."
    : `The API key needs the scope \`${scope}\` or \`*\`, or no restriction.`;
}

/** Whether a key that names no scope may call it: programs do, and a session only looks on. */
function isDataPlane({ byMode, namedScope }: Access): boolean {
  return byMode && !namedScope;
}

function sampleCredential(access: Access): SampleCall["credential"] {
  switch (access.credential) {
    case Credential.NONE:
      return "none";
    case Credential.API_KEY:
      return "key";
    case Credential.API_KEY_OR_SESSION:
      return isDataPlane(access) ? "key" : "session";
    default:
      return "session";
  }
}

function fillPath({ path, parameters }: OperationFacts): string {
  return path.replace(/\{([^}]+)\}/g, (whole, name: string) => {
    const example = parameters.find((parameter) => parameter.in === "path" && parameter.name === name)?.example;
    return example === undefined ? whole : encodeURIComponent(String(example));
  });
}

/** The required parameters, and one optional parameter as an example. */
function sampleQuery({ parameters }: OperationFacts): [string, string][] {
  const inQuery = parameters.filter((parameter) => parameter.in === "query" && parameter.example !== undefined);
  const required = inQuery.filter((parameter) => parameter.required);
  const optional = required.length === 0 ? [] : inQuery.filter((parameter) => !parameter.required).slice(0, 1);
  return [...required, ...optional].map(({ name, example }) => [name, String(example)]);
}
