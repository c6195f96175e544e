import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { HeldCredential } from "../revocation/held-credential.ts";
import { accountSubject, keySubject, sessionSubject, workspaceSubject } from "../revocation/revocation-subjects.ts";
import type { IpAllowlist } from "./ip-allowlist.ts";
import type { CallSignature, SignatureVersion } from "./request-signature.ts";
import type { Tier } from "./tiers.ts";

/** Which of a workspace's two worlds a call belongs to. */
export type Mode = "live" | "test";

/** A service that called with an API key. */
export interface KeyCaller {
  readonly kind: "key";
  readonly workspaceId: string;
  readonly workspaceName: string;
  /** How much the workspace may call. */
  readonly tier: Tier;
  readonly keyId: string;
  /** The part of the key before the dot. Not a secret. Each of a key's secrets has one of its own. */
  readonly keyPrefix: string;
  readonly mode: Mode;
  /** Null: unrestricted. */
  readonly scopes: readonly string[] | null;
  /** The key's and its workspace's: each of them has to include the client's address. */
  readonly ipAllowlists: readonly IpAllowlist[];
  /** Requests in any 60 seconds. Null: as many as the workspace. */
  readonly requestsPerMinute: number | null;
  /** Whether the workspace's user has proved the mail address; also where there is no user. */
  readonly isVerified: boolean;
  /** The lowest version of the signature that every request has to carry. Null: it need not be signed. */
  readonly requiredSignature: SignatureVersion | null;
  /** Of the key and its workspace: raised by each change of what the key may do. */
  readonly revision: number;
  /** Of the one call that the caller is set for. */
  readonly signature?: CallSignature;
}

/** A user who signed in. */
export interface SessionCaller {
  readonly kind: "session";
  readonly workspaceId: string;
  /** How much the workspace may call. */
  readonly tier: Tier;
  readonly userId: string;
  readonly sessionId: string;
  /** Of the one call that the caller is set for. */
  readonly signature?: CallSignature;
}

export type Caller = KeyCaller | SessionCaller;

/** Set by the gate, before anything of the body is read. */
export const callerKey = createContextKey<Caller | undefined>(undefined, { description: "caller" });

type Context = Pick<HandlerContext, "values">;

/** Who made the call, by whatever credential. Throws if the RPC takes none: its `access` option is what guarantees one. */
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

/** The credential of a caller, with what an effect of the call spends. */
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

/** The subjects whose revocation ends the caller's rights, in the order in which everybody locks them. */
function subjectsOf(caller: Caller): string[] {
  const workspace = workspaceSubject(caller.workspaceId);
  return caller.kind === "key"
    ? [keySubject(caller.keyId), workspace]
    : [accountSubject(caller.userId), sessionSubject(caller.sessionId), workspace];
}
