import type { DescMethod } from "@bufbuild/protobuf";
import type { OperationFacts } from "@byond/rest/openapi/operation";
import type { Access } from "../../../../gen/byond/v1/access_pb.ts";
import { Credential } from "../../../../gen/byond/v1/access_pb.ts";
import type { ErrorCode } from "../../../errors.ts";
import { hasSideEffects } from "../../../idempotency/idempotency-interceptor.ts";
import { errorCodes } from "../error-guide.ts";

/** An operation and its access rules, which decide its errors. */
export interface DocumentedOperation extends OperationFacts {
  readonly access: Access;
}

type Applies = (operation: DocumentedOperation) => boolean;

const always: Applies = () => true;
const never: Applies = () => false;
const takesCredential: Applies = ({ access }) => access.credential !== Credential.NONE;
const takesBody: Applies = (operation) => operation.takesBody;
const keepsAnswers: Applies = ({ route, access }) => useOfIdempotencyKey(route.method, access) === "replay";

/** For each code, whether an operation can return it, judged by its declaration. A missing code does not compile. */
const applies = {
  invalid_request: always,
  unknown_version: always,
  invalid_api_key: takesCredential,
  signature_invalid: takesCredential,
  invalid_password: ({ route }) => takesPassword(route.method),
  insufficient_balance: never,
  insufficient_scope: ({ access }) => access.scope !== "" || refusesSandboxKeys(access),
  ip_not_allowed: always,
  origin_not_allowed: ({ access }) => access.publishable,
  secret_key_required: ({ access }) => takesKeys(access) && !access.publishable,
  email_not_verified: ({ access }) => access.credential === Credential.API_KEY || access.verifiedEmail,
  recipient_blocked: never,
  spend_cap_reached: never,
  not_found: ({ route }) => route.method.input.fields.some(({ name }) => name === "id" || name.endsWith("_id")),
  method_not_allowed: never,
  not_acceptable: always,
  idempotency_in_progress: keepsAnswers,
  already_exists: never,
  send_limit_reached: never,
  limit_reached: never,
  payload_too_large: takesBody,
  unsupported_media_type: takesBody,
  validation_error: always,
  undeliverable: never,
  idempotency_key_reused: keepsAnswers,
  rate_limited: always,
  internal: always,
  unavailable: always,
  outcome_unknown: ({ route }) => hasSideEffects(route.method),
} as const satisfies Record<ErrorCode, Applies>;

/** Further errors of RPCs. A code that the comment of the RPC names in backticks needs no entry. */
const further: Readonly<Record<string, readonly ErrorCode[]>> = {
  SignUp: ["already_exists", "not_found"],
  SignIn: ["invalid_api_key"],
  RefreshSession: ["invalid_api_key"],
  StartEmailVerification: ["already_exists"],
  DeleteAccount: ["invalid_password", "not_found"],
  LookupNumber: ["insufficient_balance", "spend_cap_reached"],
  BatchLookup: ["insufficient_balance", "spend_cap_reached"],
  GetBalance: ["not_found"],
  ListBalanceEntries: ["not_found"],
  ListSpendCaps: ["not_found"],
  SetSpendCap: ["not_found"],
  DeleteSpendCap: ["not_found"],
};

/** The error codes that an operation can return, in the order of HTTP status. */
export function errorsOf(operation: DocumentedOperation): ErrorCode[] {
  const { comment, route } = operation;
  return errorCodes.filter(
    (code) =>
      applies[code](operation) ||
      comment.includes(`\`${code}\``) ||
      further[route.method.name]?.includes(code) === true,
  );
}

function takesKeys({ credential }: Access): boolean {
  return credential === Credential.API_KEY || credential === Credential.API_KEY_OR_SESSION;
}

/** Whether the RPC takes live keys, but no sandbox keys. */
export function refusesSandboxKeys({ credential, sandbox }: Access): boolean {
  return credential === Credential.API_KEY_OR_SESSION && !sandbox;
}

/** Whether the user confirms the call with the current password. */
function takesPassword({ input, parent }: DescMethod): boolean {
  return parent.name === "AuthService" && input.fields.some(({ name }) => name === "current_password");
}

/**
 * What an `Idempotency-Key` does for an operation. `replay`: the response is stored and replayed. `accepted`: the key is accepted,
 * but nothing is stored, because the call has no credential. `none`: the operation only reads.
 */
export function useOfIdempotencyKey(method: DescMethod, { credential }: Access): "replay" | "accepted" | "none" {
  if (!hasSideEffects(method)) {
    return "none";
  }
  return credential === Credential.NONE ? "accepted" : "replay";
}
