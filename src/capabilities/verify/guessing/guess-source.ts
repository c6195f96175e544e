import { limitKeyOf, unknownSource } from "../../../server/client-address.ts";
import { guessing } from "../verify.policy.ts";

/** Where a check came from. `end_user` kinds are one person, or a few; `caller` kinds are those of many people, as a rule. */
const classOfKind = { device: "end_user", end_user_ip: "end_user", client_ip: "caller", api_key: "caller" } as const;

export type GuessSourceKind = keyof typeof classOfKind;

/** A source of checks, whose wrong codes are counted over all verifications. */
export interface GuessSource {
  readonly kind: GuessSourceKind;
  /** The source's key in its workspace. Of a device, a keyed hash. */
  readonly key: string;
  /** The source as its event names it. */
  readonly value: string;
}

interface CheckOrigin {
  readonly keyId: string;
  readonly clientAddress: string | undefined;
  readonly endUserIp: string | undefined;
  /** As the caller named it. */
  readonly deviceId: string | undefined;
  /** `EndUser.deviceIndexes`. */
  readonly deviceIndexes: readonly string[];
}

/** The sources of a check: the closest that is known to the end user, and the API key. In the order in which they are slowed. */
export function guessSourcesOf({ keyId, ...origin }: CheckOrigin): readonly GuessSource[] {
  const key: GuessSource = { kind: "api_key", key: `api_key:${keyId}`, value: keyId };
  const closest = closestSource(origin);
  return closest === undefined ? [key] : [closest, key];
}

function closestSource({
  clientAddress,
  endUserIp,
  deviceId,
  deviceIndexes,
}: Omit<CheckOrigin, "keyId">): GuessSource | undefined {
  // The first of the sorted ones: the same on two servers that know the same secrets, whichever is the current one.
  const [deviceIndex] = deviceIndexes;
  if (deviceId !== undefined && deviceIndex !== undefined) {
    return { kind: "device", key: `device:${deviceIndex}`, value: deviceId };
  }
  const kind = endUserIp === undefined ? "client_ip" : "end_user_ip";
  const address = limitKeyOf(endUserIp ?? clientAddress);
  return address === unknownSource ? undefined : { kind, key: `${kind}:${address}`, value: address };
}

/** When a source of this kind guesses, and how slow it becomes. */
export function guessingRuleOf(kind: GuessSourceKind) {
  return guessing[classOfKind[kind]];
}

/** The same, given the source's key. */
export function guessingRuleOfKey(key: string) {
  const kind = key.slice(0, key.indexOf(":"));
  return isKind(kind) ? guessingRuleOf(kind) : guessing.end_user;
}

function isKind(kind: string): kind is GuessSourceKind {
  return kind in classOfKind;
}
