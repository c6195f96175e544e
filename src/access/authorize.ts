import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { onceForEach } from "@byond/rest/once-for-each";
import { type ContextValues, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { type Access, access, Credential as RequiredCredential } from "../../gen/byond/v1/access_pb.ts";
import { type Awaitable, whenReady } from "../awaitable.ts";
import { AppError, keyRefused, sessionRefused } from "../errors.ts";
import { requestRecordKey } from "../observe/request-record.ts";
import type { RevocationBasis } from "../revocation/applied-revocations.ts";
import { clientAddressKey } from "../server/client-address.ts";
import { callModeKey, readCallMode } from "./call-mode.ts";
import { type Caller, callerKey, type KeyCaller, type SessionCaller } from "./caller.ts";
import { requireAllowedAddress } from "./ip-allowlist.ts";
import { requirePublishable } from "./publishable-keys.ts";
import { type Credential, readCredential } from "./read-credential.ts";
import { type CallSignature, requireSignature, type SignatureVersion } from "./request-signature.ts";
import type { SessionCookies } from "./session-cookie.ts";

/** The owner of a credential, and the basis of that answer. */
export interface Authenticated<C extends Caller = Caller> {
  readonly caller: C;
  /** If one of its subjects is revoked, the credential has to be authenticated again. */
  readonly basis: RevocationBasis;
}

/**
 * Finds the owner of a credential. Undefined: nobody, or nobody any more. A capability contributes it for its kind of
 * credential (`Contribution.authenticator` in `capability.ts`):
 *
 *     authenticator: {
 *       authenticateSession: async (token) => {
 *         const session = await findSession(token);
 *         return session && {
 *           caller: { kind: "session", workspaceId, tier, userId, sessionId },
 *           basis: { subjects: [sessionSubject(session.id)], asOf: session.asOf },
 *         };
 *       },
 *     }
 */
export interface Authenticator {
  authenticateKey(key: string): Awaitable<Authenticated<KeyCaller> | undefined>;
  authenticateSession(token: string): Awaitable<Authenticated<SessionCaller> | undefined>;
  /** Where browsers keep their sessions. Undefined: nowhere. */
  readonly sessionCookies?: SessionCookies;
  /** Whether RPCs that only take keys refuse live keys of accounts without a verified email. */
  readonly liveKeysNeedVerifiedEmail?: boolean;
}

/** The revocation subjects that the caller's admission depends on. Set together with `callerKey`. */
export const revocationBasisKey = createContextKey<RevocationBasis | undefined>(undefined, {
  description: "revocation basis of the caller",
});

/** The part of a call that admission depends on. Handler contexts and intercepted requests both have it. */
export interface CallOrigin {
  readonly header: Headers;
  readonly values: ContextValues;
  readonly url: string;
}

const takesKeys: ReadonlySet<RequiredCredential> = new Set([
  RequiredCredential.API_KEY,
  RequiredCredential.API_KEY_OR_SESSION,
]);

/** The `byond.v1.access` option of an RPC. Throws if it has none: an RPC must never be open by accident. */
export const accessOf: (method: DescMethod) => Access = onceForEach((method) => {
  const declared = hasOption(method, access) ? getOption(method, access) : undefined;
  if (declared === undefined || declared.credential === RequiredCredential.UNSPECIFIED) {
    throw new TypeError(`${method.parent.typeName}.${method.name} does not declare (byond.v1.access)`);
  }
  if (declared.scope !== "" && !takesKeys.has(declared.credential)) {
    throw new TypeError(`${method.parent.typeName}.${method.name} declares a scope, but takes no API key`);
  }
  const takesBoth = declared.credential === RequiredCredential.API_KEY_OR_SESSION;
  if (declared.sandbox && !takesBoth) {
    throw new TypeError(
      `${method.parent.typeName}.${method.name} declares sandbox, but does not take keys and sessions`,
    );
  }
  if (declared.byMode && !(takesBoth && declared.sandbox)) {
    throw new TypeError(
      `${method.parent.typeName}.${method.name} declares by_mode, but does not take all keys and sessions`,
    );
  }
  if (declared.verifiedEmail && !takesBoth) {
    throw new TypeError(
      `${method.parent.typeName}.${method.name} declares verified_email, but does not take keys and sessions`,
    );
  }
  if (declared.publishable && !takesKeys.has(declared.credential)) {
    throw new TypeError(`${method.parent.typeName}.${method.name} declares publishable, but takes no API key`);
  }
  if (declared.namedScope && declared.scope === "") {
    throw new TypeError(`${method.parent.typeName}.${method.name} declares named_scope, and no scope`);
  }
  if (takesBoth && declared.scope === "" && method.idempotency !== IdempotencyLevel.NO_SIDE_EFFECTS) {
    throw new TypeError(
      `${method.parent.typeName}.${method.name} lets any key act on the account: it has to declare a scope`,
    );
  }
  return declared;
});

/**
 * Checks that the owner of the credential sent the request, by its signature. Returns the signature, if there is one. Throws if
 * the check fails.
 */
export type SenderCheck = (
  caller: Caller,
  credential: string,
  context: HandlerContext,
) => Awaitable<CallSignature | undefined>;

/**
 * Admits a call and sets `callerKey` and `revocationBasisKey`. Undefined: the RPC takes no credential. Throws if the credential
 * is not admitted, or if `checkSender` rejects the caller.
 */
export function authorize(
  authenticator: Authenticator,
  required: Access,
  context: HandlerContext,
  checkSender: SenderCheck,
): Awaitable<Caller | undefined> {
  const { requestHeader, values } = context;
  if (required.credential === RequiredCredential.NONE) {
    return undefined;
  }
  const credential = readCredential(requestHeader, context, authenticator.sessionCookies);
  return whenReady(authenticate(authenticator, required.credential, credential), ({ caller, basis }) => {
    if (caller.kind === "key") {
      values.get(requestRecordKey).key = caller;
    }
    return whenReady(
      credential.kind === "none" ? undefined : checkSender(caller, credential.text, context),
      (signature) => {
        requirePermission(authenticator, caller, required, { header: requestHeader, values });
        if (required.byMode) {
          values.set(callModeKey, readCallMode(caller, requestHeader));
        }
        values.set(callerKey, signature === undefined ? caller : { ...caller, signature });
        values.set(revocationBasisKey, basis);
        return caller;
      },
    );
  });
}

/**
 * Admits a call in progress again, with its caller as it is now. Its signature is not checked again. Undefined: the RPC takes
 * no credential. Throws what `admit` throws, and `signature_invalid` if the key now requires a signature that the call does not
 * have.
 */
export async function reauthorize(
  authenticator: Authenticator,
  required: Access,
  origin: CallOrigin,
): Promise<RevocationBasis | undefined> {
  const admitted = await admit(authenticator, required, origin);
  if (admitted === undefined) {
    return undefined;
  }
  const { caller, basis } = admitted;
  const signature = origin.values.get(callerKey)?.signature;
  requireSignature(requiredSignatureOf(caller), signature?.version);
  origin.values.set(callerKey, signature === undefined ? caller : { ...caller, signature });
  return basis;
}

/** The lowest version of the signature that the caller's requests have to carry. Null: they need not be signed. */
export function requiredSignatureOf(caller: Caller): SignatureVersion | null {
  return caller.kind === "key" ? caller.requiredSignature : null;
}

/**
 * Returns whose call it is. Undefined: the RPC takes no credential. Throws `invalid_api_key` without a valid credential of a
 * kind that the RPC takes, `ip_not_allowed` if the key may not be used from the client's address, `secret_key_required` and
 * `origin_not_allowed` as `requirePublishable` does, `insufficient_scope` if it may not call the RPC, `email_not_verified` if it is a live key whose account must verify its email first.
 */
export async function admit(
  authenticator: Authenticator,
  required: Access,
  origin: CallOrigin,
): Promise<Authenticated | undefined> {
  if (required.credential === RequiredCredential.NONE) {
    return undefined;
  }
  const credential = readCredential(origin.header, origin, authenticator.sessionCookies);
  const authenticated = await authenticate(authenticator, required.credential, credential);
  requirePermission(authenticator, authenticated.caller, required, origin);
  return authenticated;
}

function requirePermission(
  { liveKeysNeedVerifiedEmail }: Authenticator,
  caller: Caller,
  required: Access,
  { header, values }: Omit<CallOrigin, "url">,
): void {
  if (caller.kind === "key") {
    requireAllowedAddress(caller.ipAllowlists, values.get(clientAddressKey));
    requirePublishable(caller, required, header);
    requireMode(caller, required);
    requireScope(caller, required);
    // Most RPCs that also take sessions stay open: they tell whether the email is verified, and let one verify it.
    const needsEmail = required.credential === RequiredCredential.API_KEY || required.verifiedEmail;
    if (liveKeysNeedVerifiedEmail === true && needsEmail) {
      requireVerifiedEmail(caller);
    }
  }
}

function requireVerifiedEmail({ mode, isVerified }: KeyCaller): void {
  if (mode === "live" && !isVerified) {
    throw new AppError(
      "email_not_verified",
      "Live keys work once the email address of the account is verified: sign in and use POST /api/v1/auth/verify-email.",
    );
  }
}

function authenticate(
  authenticator: Authenticator,
  required: RequiredCredential,
  credential: Credential,
): Awaitable<Authenticated> {
  if (credential.kind === "session" && required === RequiredCredential.API_KEY) {
    throw new AppError("invalid_api_key", "This endpoint takes an API key, not an access token.");
  }
  if (credential.kind === "key" && required === RequiredCredential.SESSION) {
    throw new AppError("invalid_api_key", "This endpoint takes an access token, not an API key.");
  }
  if (credential.kind === "none") {
    throw new AppError("invalid_api_key", nothingSent(required));
  }
  return whenReady(authenticateAs(authenticator, credential), (authenticated) => {
    if (authenticated === undefined) {
      throw credential.kind === "session" ? sessionRefused() : keyRefused();
    }
    return authenticated;
  });
}

function nothingSent(required: RequiredCredential): string {
  switch (required) {
    case RequiredCredential.SESSION:
      return "No access token was sent. Send one as Authorization: Bearer <token>.";
    case RequiredCredential.API_KEY_OR_SESSION:
      return "No API key and no access token was sent. Send one as Authorization: Bearer <key or token>.";
    default:
      return "No API key was sent. Send one as X-API-Key: <key>, or as Authorization: Bearer <key>.";
  }
}

function authenticateAs(
  authenticator: Authenticator,
  credential: Exclude<Credential, { readonly kind: "none" }>,
): Awaitable<Authenticated | undefined> {
  switch (credential.kind) {
    case "key":
      return authenticator.authenticateKey(credential.text);
    case "session":
      return credential.isInCookie
        ? whenReady(authenticator.authenticateSession(credential.text), inCookie)
        : authenticator.authenticateSession(credential.text);
  }
}

function inCookie(found: Authenticated<SessionCaller> | undefined): Authenticated<SessionCaller> | undefined {
  return found && { ...found, caller: { ...found.caller, isInCookie: true } };
}

/** An account belongs to both modes of its workspace. Sandbox keys are shared more freely, so they may not act on it. */
function requireMode({ mode }: KeyCaller, { credential, sandbox, scope }: Access): void {
  if (mode === "test" && credential === RequiredCredential.API_KEY_OR_SESSION && !sandbox) {
    throw new AppError("insufficient_scope", "Sandbox keys do not act on the account. Use a live key, or sign in.", {
      requiredScope: scope || "*",
    });
  }
}

/** An unrestricted key may call the data plane. What manages or exports is for keys that name it: see `Access.named_scope`. */
function requireScope({ scopes }: KeyCaller, { scope, namedScope }: Access): void {
  const isGranted = scopes === null ? !namedScope : scopes.includes("*") || scopes.includes(scope);
  if (scope === "" || isGranted) {
    return;
  }
  throw new AppError("insufficient_scope", `This key is not authorized for the '${scope}' scope.`, {
    requiredScope: scope,
  });
}
