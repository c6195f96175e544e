import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { HeldCredential } from "../revocation/held-credential.ts";
import { accountSubject, keySubject, sessionSubject, workspaceSubject } from "../revocation/revocation-subjects.ts";
import type { IpAllowlist } from "./ip-allowlist.ts";
import type { CallSignature, SignatureVersion } from "./request-signature.ts";
import type { Tier } from "./tiers.ts";

/** The mode of a call: real messages, or the sandbox. */
export type Mode = "live" | "test";

/** A caller with an API key. */
export interface KeyCaller {
  readonly kind: "key";
  readonly workspaceId: string;
  readonly workspaceName: string;
  /** Decides the workspace's quota. */
  readonly tier: Tier;
  readonly keyId: string;
  /** The part of the key before the dot. Not a secret. A key with two secrets has two prefixes. */
  readonly keyPrefix: string;
  readonly mode: Mode;
  /** Null: unrestricted. */
  readonly scopes: readonly string[] | null;
  /** The allowlists of the key and its workspace. The client's address must be in each of them. */
  readonly ipAllowlists: readonly IpAllowlist[];
  /** Whose pages may use it, as browsers write them: the key is publishable. Null: it is secret. */
  readonly origins: readonly string[] | null;
  /** Requests in any 60 seconds. Null: the limit of the workspace. */
  readonly requestsPerMinute: number | null;
  /** Whether the email of the workspace's user is verified. Also true if there is no user. */
  readonly isVerified: boolean;
  /** Whether the workspace keeps a history of its lookups. */
  readonly lookupHistory: boolean;
  /** The lowest version of the signature that every request has to carry. Null: it need not be signed. */
  readonly requiredSignature: SignatureVersion | null;
  /** Changes whenever the rights of the key change, by a change of the key or of its workspace. */
  readonly revision: number;
  /** The signature of this call. */
  readonly signature?: CallSignature;
}

/** A caller with a session: a user who signed in. */
export interface SessionCaller {
  readonly kind: "session";
  readonly workspaceId: string;
  /** Decides the workspace's quota. */
  readonly tier: Tier;
  readonly userId: string;
  readonly sessionId: string;
  /** Whether the user's email is verified. */
  readonly isVerified: boolean;
  /** Its tokens are in a browser's cookie, and in no answer. */
  readonly isInCookie?: true;
  /** The signature of this call. */
  readonly signature?: CallSignature;
}

export type Caller = KeyCaller | SessionCaller;

/** Set by the chain's `requestGate`, before the body is read. */
export const callerKey = createContextKey<Caller | undefined>(undefined, { description: "caller" });

type Context = Pick<HandlerContext, "values">;

/** Who made the call, with any kind of credential. Throws if the RPC is declared to take none. */
export function anyCaller(context: Context): Caller {
  const caller = context.values.get(callerKey);
  if (caller === undefined) {
    throw new TypeError("the RPC is not declared to take a credential");
  }
  return caller;
}

/** The key that made the call. Throws if the RPC does not take keys. */
export function keyCaller(context: Context): KeyCaller {
  const caller = anyCaller(context);
  if (caller.kind !== "key") {
    throw new TypeError("the RPC is not declared to take an API key");
  }
  return caller;
}

/** The session that made the call. Throws if the RPC does not take sessions. */
export function sessionCaller(context: Context): SessionCaller {
  const caller = anyCaller(context);
  if (caller.kind !== "session") {
    throw new TypeError("the RPC is not declared to take a session");
  }
  return caller;
}

/**
 * The credential as statements check it: the caller's key or session, its revocation subjects, and the nonce that an effect of
 * the call uses up.
 */
export function credentialOf(caller: Caller): HeldCredential {
  return JSON.stringify({
    kind: caller.kind,
    workspace_id: caller.workspaceId,
    ...(caller.kind === "key"
      ? { prefix: caller.keyPrefix, revision: caller.revision }
      : { session_id: caller.sessionId }),
    subjects: subjectsOf(caller),
    nonce: caller.signature?.nonce,
  });
}

/** The subjects whose revocation ends the caller's rights. Everybody locks them in this order. */
function subjectsOf(caller: Caller): string[] {
  const workspace = workspaceSubject(caller.workspaceId);
  return caller.kind === "key"
    ? [keySubject(caller.keyId), workspace]
    : [accountSubject(caller.userId), sessionSubject(caller.sessionId), workspace];
}
