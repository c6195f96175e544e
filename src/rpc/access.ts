import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { type Access, access, Credential as RequiredCredential } from "../../gen/byond/v1/access_pb.ts";
import { AppError } from "../errors.ts";
import { type Caller, callerKey, type KeyCaller, type SessionCaller } from "./caller.ts";
import { readCredential } from "./credentials.ts";
import { requestRecordKey } from "./request-record.ts";

/** Tells who a credential belongs to. Undefined: nobody, or nobody any more. */
export interface Authenticator {
  authenticateKey(key: string): Promise<KeyCaller | undefined>;
  authenticateSession(token: string): Promise<SessionCaller | undefined>;
}

/** The `byond.v1.access` option of an RPC. Throws if it has none: who may call must never be an accident. */
export function accessOf(method: DescMethod): Access {
  const declared = hasOption(method, access) ? getOption(method, access) : undefined;
  if (declared === undefined || declared.credential === RequiredCredential.UNSPECIFIED) {
    throw new TypeError(`${method.parent.typeName}.${method.name} does not declare (byond.v1.access)`);
  }
  if (declared.scope !== "" && declared.credential !== RequiredCredential.API_KEY) {
    throw new TypeError(`${method.parent.typeName}.${method.name} declares a scope, but takes no API key`);
  }
  return declared;
}

/**
 * Lets a call in, or throws: `invalid_api_key` without a valid credential of the kind that the RPC takes,
 * `insufficient_scope` if the key may not be used for it.
 */
export async function authorize(
  authenticator: Authenticator,
  required: Access,
  context: HandlerContext,
): Promise<void> {
  if (required.credential === RequiredCredential.NONE) {
    return;
  }
  const caller = await authenticate(authenticator, required.credential, context.requestHeader);
  context.values.set(callerKey, caller);
  if (caller.kind === "key") {
    context.values.get(requestRecordKey).keyPrefix = caller.keyPrefix;
    requireScope(caller, required.scope);
  }
}

async function authenticate(
  authenticator: Authenticator,
  required: RequiredCredential,
  header: Headers,
): Promise<Caller> {
  const credential = readCredential(header);
  if (required === RequiredCredential.API_KEY) {
    if (credential.kind === "session") {
      throw new AppError("invalid_api_key", "This endpoint takes an API key, not a session token.");
    }
    const caller = credential.kind === "key" ? await authenticator.authenticateKey(credential.key) : undefined;
    if (caller === undefined) {
      throw new AppError("invalid_api_key", "The provided API key is invalid or revoked.");
    }
    return caller;
  }
  if (credential.kind === "key") {
    throw new AppError("invalid_api_key", "This endpoint takes a session token, not an API key.");
  }
  const caller = credential.kind === "session" ? await authenticator.authenticateSession(credential.token) : undefined;
  if (caller === undefined) {
    throw new AppError("invalid_api_key", "The provided session token is invalid or expired.");
  }
  return caller;
}

function requireScope(caller: KeyCaller, scope: string): void {
  if (scope === "" || caller.scopes === null || caller.scopes.includes("*") || caller.scopes.includes(scope)) {
    return;
  }
  throw new AppError("insufficient_scope", `This key is not authorized for the '${scope}' scope.`, {
    requiredScope: scope,
  });
}
