import { createHash } from "node:crypto";
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

/**
 * The sources of a check, in the order in which they are slowed: the device and the address of the end user, or else the address that calls; and the API
 * key. Each is judged by itself, so that another device in each check does not hide the address.
 */
export function guessSourcesOf({ keyId, clientAddress, ...named }: CheckOrigin): readonly GuessSource[] {
  const endUser = endUserSources(named);
  return [
    ...(endUser.length === 0 ? addressSource("client_ip", clientAddress) : endUser),
    { kind: "api_key", key: `api_key:${keyId}`, value: keyId },
  ];
}

/** The same of an end user alone. A check by a page has no other: one guesser in a page must not slow everybody who uses its key. */
export function endUserSources({
  endUserIp,
  deviceId,
  deviceIndexes = [],
}: Partial<Pick<CheckOrigin, "endUserIp" | "deviceId" | "deviceIndexes">>): readonly GuessSource[] {
  // The first of the sorted ones: the same on two servers that know the same secrets, whichever is the current one.
  const [deviceIndex] = deviceIndexes;
  const device: readonly GuessSource[] =
    deviceId === undefined || deviceIndex === undefined
      ? []
      : [{ kind: "device", key: `device:${deviceIndex}`, value: deviceId }];
  return [...device, ...addressSource("end_user_ip", endUserIp)];
}

/**
 * A source in the row of a verification for which it entered a wrong code: 16 bits, which tell the sources of one verification apart, and from which
 * nobody learns an address.
 */
export function guessTagOf(verificationId: string, { key }: Pick<GuessSource, "key">): number {
  return createHash("sha256").update(`${verificationId}/${key}`).digest().readUInt16BE();
}

function addressSource(kind: "end_user_ip" | "client_ip", ip: string | undefined): readonly GuessSource[] {
  const address = limitKeyOf(ip);
  return ip === undefined || address === unknownSource ? [] : [{ kind, key: `${kind}:${address}`, value: address }];
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
