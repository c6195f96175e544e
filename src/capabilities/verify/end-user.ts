import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import { type Keyring, unseal } from "../../crypto/keyring.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { recipientContext } from "./recipient.ts";

/** The end user who asked for a code, or entered one, as limits count them. */
export interface EndUser {
  /** Their address as `limitKeyOf` makes it. Undefined: the call named none. */
  readonly addressKey: string | undefined;
  /** Keyed hashes of their device: one for each master secret, sorted. None: the call named no device. */
  readonly deviceIndexes: readonly string[];
  /** The device as this call named it: it is not stored. */
  readonly deviceId: string | undefined;
}

export const unknownEndUser: EndUser = { addressKey: undefined, deviceIndexes: [], deviceId: undefined };

/** The end user whom a call of a workspace names. */
export function endUserOf(
  keyring: Pick<Keyring, "all">,
  workspaceId: string,
  { endUserIp, deviceId }: { readonly endUserIp?: string | undefined; readonly deviceId?: string | undefined },
): EndUser {
  return {
    addressKey: endUserIp === undefined ? undefined : limitKeyOf(endUserIp),
    deviceIndexes: deviceId === undefined ? [] : deviceIndexes(keyring, workspaceId, deviceId),
    deviceId,
  };
}

/** A device of a workspace cannot be told to be the one of another workspace. Under every secret, so that counts survive a rotation. */
function deviceIndexes({ all }: Pick<Keyring, "all">, workspaceId: string, deviceId: string): string[] {
  return all
    .map((secret) => hmacSha256(secret.subkey("device-index"), `${workspaceId}/${deviceId}`).toString("base64url"))
    .sort();
}

/** What the row of a verification has of its end user. */
export interface StoredEndUser {
  readonly endUserSealed: Buffer | null;
  readonly deviceIndexes: readonly string[] | null;
}

/** The end user whom the start of a verification named. */
export function storedEndUser(
  keyring: Keyring,
  { workspaceId, id }: { readonly workspaceId: string; readonly id: string },
  { endUserSealed, deviceIndexes }: StoredEndUser,
): EndUser {
  const context = recipientContext(workspaceId, id);
  return {
    addressKey: endUserSealed === null ? undefined : unseal(keyring, "end-user-seal", context, endUserSealed),
    deviceIndexes: deviceIndexes ?? [],
    deviceId: undefined,
  };
}

/** The end user of a call, and what it does not say of them as it was said before. */
export function mergeEndUsers(named: EndUser, known: EndUser): EndUser {
  return {
    addressKey: named.addressKey ?? known.addressKey,
    deviceIndexes: named.deviceIndexes.length === 0 ? known.deviceIndexes : named.deviceIndexes,
    deviceId: named.deviceId ?? known.deviceId,
  };
}
