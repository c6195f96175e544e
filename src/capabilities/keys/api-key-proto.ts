import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type IpAllowlist,
  IpAllowlistSchema,
  Mode as ModeMessage,
  type OriginList,
  OriginListSchema,
  type ScopeSet,
  ScopeSetSchema,
  SignatureVersion as SignatureVersionMessage,
} from "../../../gen/byond/v1/api_key_pb.ts";
import type { Mode } from "../../access/caller.ts";
import type { SignatureVersion } from "../../access/request-signature.ts";
import type { ApiKey } from "./api-key.entity.ts";
import type { CreatedApiKey } from "./create-api-key.ts";
import type { RotatedApiKey } from "./rotate-api-key.ts";

/** A key as a message, without its secret. */
export function apiKeyMessage(key: ApiKey) {
  return {
    ...describeKey(key),
    ...timestamp("lastUsedAt", key.lastUsedAt),
    ...timestamp("revokedAt", key.revokedAt),
    ...(key.revocationReason == null ? {} : { revocationReason: key.revocationReason }),
  };
}

/** A new key, with its secret. */
export function createdKeyMessage(created: CreatedApiKey) {
  return { ...describeKey(created), key: created.key };
}

/** A key with its new secret. */
export function rotatedKeyMessage(rotated: RotatedApiKey) {
  return {
    ...describeKey(rotated),
    key: rotated.key,
    ...timestamp("previousKeyExpiresAt", rotated.previousKeyExpiresAt),
  };
}

/** The fields that every message of a key has. */
function describeKey(key: ApiKey | CreatedApiKey) {
  return {
    id: key.id,
    name: key.name,
    keyPrefix: key.prefix,
    ...(key.scopes == null ? {} : { scopes: scopeSet(key.scopes) }),
    createdAt: timestampFromDate(key.createdAt),
    mode: modeMessage(key.mode),
    ...timestamp("expiresAt", key.expiresAt),
    ...(key.createdBy == null ? {} : { createdBy: key.createdBy }),
    ...(key.ipAllowlist == null ? {} : { ipAllowlist: ipAllowlist(key.ipAllowlist) }),
    ...(key.origins == null ? {} : { origins: originList(key.origins) }),
    ...(key.requestsPerMinute == null ? {} : { requestsPerMinute: key.requestsPerMinute }),
    requireSignature: key.requireSignature,
    ...(key.requireSignature ? { minSignatureVersion: signatureVersionMessage(key.minSignatureVersion) } : {}),
  };
}

function scopeSet(scopes: readonly string[]): ScopeSet {
  return create(ScopeSetSchema, { scopes: [...scopes] });
}

function ipAllowlist(ranges: readonly string[]): IpAllowlist {
  return create(IpAllowlistSchema, { ranges: [...ranges] });
}

function originList(origins: readonly string[]): OriginList {
  return create(OriginListSchema, { origins: [...origins] });
}

const signatureVersionMessages = {
  v1: SignatureVersionMessage.V1,
  v2: SignatureVersionMessage.V2,
} as const satisfies Record<SignatureVersion, SignatureVersionMessage>;

function signatureVersionMessage(version: SignatureVersion): SignatureVersionMessage {
  return signatureVersionMessages[version];
}

/** The version that a message names. Undefined if it names none. */
export function signatureVersionOf(message: SignatureVersionMessage | undefined): SignatureVersion | undefined {
  return message === SignatureVersionMessage.V2 ? "v2" : message === SignatureVersionMessage.V1 ? "v1" : undefined;
}

function modeMessage(mode: Mode): ModeMessage {
  return mode === "test" ? ModeMessage.TEST : ModeMessage.LIVE;
}

/** A timestamp field, left out if there is no date. */
function timestamp<Field extends string>(
  field: Field,
  date: Date | null | undefined,
): { readonly [Name in Field]?: Timestamp } {
  const absent: { readonly [Name in Field]?: Timestamp } = {};
  return date == null ? absent : { ...absent, [field]: timestampFromDate(date) };
}
