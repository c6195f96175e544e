import { getOption, hasOption } from "@bufbuild/protobuf";
import type { OperationDetails, OperationFacts } from "@byond/rest/openapi/operation";
import { access, Credential, rest } from "../../../../gen/byond/v1/access_pb.ts";
import type { ErrorResponses } from "./error-responses.ts";
import { credentialNote, credentialsOf, scopeNote, securityOf } from "./operation-credentials.ts";
import { errorsOf, refusesSandboxKeys, useOfIdempotencyKey } from "./operation-errors.ts";
import { codeSamples } from "./samples/code-samples.ts";
import { sampleCall } from "./samples/operation-sample.ts";
import type { SdkSamples } from "./samples/sample-call.ts";

/** Documents what the generic OpenAPI builder does not know: credentials, errors, headers, `Idempotency-Key`, code samples. */
export function operationDetails(
  facts: OperationFacts,
  basePath: string,
  errors: ErrorResponses,
  sdkSamples: SdkSamples,
): OperationDetails {
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
    ...(facts.route.httpMethod === "PATCH" ? [patchNote] : []),
    credentialNote(required),
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
    responses: errors.referTo(codes, { ...facts, scope: required.scope, credential: credentialsOf(required)[0] }),
    parameters: [...idempotencyParameters[keyUse], ...(required.byMode ? ["ModeHeader"] : [])].map((name) => ({
      $ref: `#/components/parameters/${name}`,
    })),
    notes: notes.filter((note) => note !== ""),
    members: {
      security: securityOf(required),
      "x-rpc": `${method.parent.typeName}/${method.name}`,
      "x-credentials": credentialsOf(required),
      ...(required.scope === "" ? {} : { "x-required-scope": required.scope }),
      "x-codeSamples": codeSamples(sampleCall(facts, basePath, credentialsOf(required)[0] ?? "none"), sdkSamples),
    },
  };
}

const idempotencyParameters = {
  replay: ["IdempotencyKeyHeader"],
  accepted: ["AcceptedIdempotencyKeyHeader"],
  none: [],
} as const satisfies Record<ReturnType<typeof useOfIdempotencyKey>, readonly string[]>;

const patchNote =
  "Fields that are left out stay as they are; `null` is refused. The query parameter `update_mask`, for clients that send whole objects, names the fields to change.";
