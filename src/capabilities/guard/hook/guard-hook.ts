import { type Keyring, seal, unseal } from "../../../crypto/keyring.ts";
import { createWebhookSecret } from "../../../outgoing/webhook-signature.ts";

/** What becomes of a send if the hook does not answer as it should. */
export type HookFailure = "allow" | "refuse";

/** The hook of a workspace. */
export interface GuardHook {
  readonly url: string;
  readonly onFailure: HookFailure;
  readonly secretSealed: Buffer;
}

/** The columns of a hook in the row of the settings. All are null, or none. */
export interface HookRow {
  readonly hookUrl: string | null;
  readonly hookOnFailure: HookFailure | null;
  readonly hookSecretSealed: Buffer | null;
}

/** SQL of the columns of a `HookRow`. */
export const hookColumns = "hook_url, hook_on_failure, hook_secret_sealed";

export const noHook: HookRow = { hookUrl: null, hookOnFailure: null, hookSecretSealed: null };

/** The hook of a row. Undefined: there is none. */
export function hookOf({ hookUrl, hookOnFailure, hookSecretSealed }: HookRow): GuardHook | undefined {
  return hookUrl === null || hookOnFailure === null || hookSecretSealed === null
    ? undefined
    : { url: hookUrl, onFailure: hookOnFailure, secretSealed: hookSecretSealed };
}

const purpose = "guard-hook-secret";

/** A new secret of a hook, and as the row has it. */
export function createHookSecret(keyring: Keyring, workspaceId: string) {
  const secret = createWebhookSecret();
  return { secret, secretId: keyring.current.id, sealed: seal(keyring, purpose, workspaceId, secret) };
}

/** The secret of a hook. Undefined: the server does not know the master secret that it is sealed with. */
export function hookSecret(keyring: Keyring, workspaceId: string, sealed: Buffer): string | undefined {
  return unseal(keyring, purpose, workspaceId, sealed);
}

/** The same secret, sealed with the current master secret. */
export function resealHookSecret(keyring: Keyring, workspaceId: string, sealed: Buffer): Buffer | null {
  const secret = hookSecret(keyring, workspaceId, sealed);
  return secret === undefined ? null : seal(keyring, purpose, workspaceId, secret);
}
