/** A key as its form has it, and the requests that the form makes. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ApiKey,
  type ApiKeyChangesSchema,
  type CreateApiKeyRequestSchema,
  SignatureVersion,
} from "#gen/byond/v1/api_key_pb.ts";
import { changedIpRanges, formatIpRanges, parseIpRanges } from "../../components/ip-ranges.ts";

/** `unnamed`: a key without scopes, which may make every call that needs no named scope. */
export type Access = "unnamed" | "all" | "some";
/** `keep` is for keys that expire already: their expiry can be moved, not taken away. The numbers are days. */
export type Expiry = "never" | "keep" | "7" | "30" | "90" | "365" | "date";
export type Signature = "none" | "v1" | "v2";

export type Kind = "secret" | "publishable";

export interface KeyDraft {
  readonly name: string;
  readonly kind: Kind;
  /** Where `kind` is `publishable`: one a line. */
  readonly origins: string;
  readonly access: Access;
  /** Where `access` is `some`. */
  readonly scopes: readonly string[];
  readonly expiry: Expiry;
  /** Where `expiry` is `date`: in the viewer's zone, as the field of a date and time has it. */
  readonly expiryDate: string;
  readonly ipRanges: string;
  /** Digits, or empty. */
  readonly requestsPerMinute: string;
  readonly signature: Signature;
}

export const emptyDraft: KeyDraft = {
  name: "",
  kind: "secret",
  origins: "",
  access: "unnamed",
  scopes: [],
  expiry: "never",
  expiryDate: "",
  ipRanges: "",
  requestsPerMinute: "",
  signature: "none",
};

export function draftOf(key: ApiKey): KeyDraft {
  const scopes = key.scopes?.scopes;
  return {
    name: key.name,
    kind: key.origins === undefined ? "secret" : "publishable",
    origins: key.origins?.origins.join("\n") ?? "",
    access: scopes === undefined ? "unnamed" : scopes.includes("*") ? "all" : "some",
    scopes: scopes?.filter((scope) => scope !== "*") ?? [],
    expiry: key.expiresAt === undefined ? "never" : "keep",
    expiryDate: key.expiresAt === undefined ? "" : toLocalInput(timestampDate(key.expiresAt)),
    ipRanges: formatIpRanges(key.ipAllowlist?.ranges),
    requestsPerMinute: key.requestsPerMinute === undefined ? "" : String(key.requestsPerMinute),
    signature: !key.requireSignature ? "none" : key.minSignatureVersion === SignatureVersion.V2 ? "v2" : "v1",
  };
}

export function createRequestOf(
  draft: KeyDraft,
): Omit<MessageInitShape<typeof CreateApiKeyRequestSchema>, "$typeName" | "mode"> {
  const ranges = parseIpRanges(draft.ipRanges);
  const ofKind =
    draft.kind === "publishable"
      ? { origins: { origins: parseLines(draft.origins) } }
      : { scopes: scopesOf(draft), minSignatureVersion: signatureVersions[draft.signature] };
  return {
    name: draft.name,
    ...ofKind,
    expiresAt: expiryOf(draft),
    ipAllowlist: ranges.length === 0 ? undefined : { ranges },
    requestsPerMinute: draft.requestsPerMinute === "" ? undefined : Number(draft.requestsPerMinute),
  };
}

/** The most that the schema takes: a limit can be changed, not taken away. */
const highestRequestsPerMinute = 1_000_000;

/** What the draft changes of the key; undefined if it changes nothing. */
export function changesOf(
  draft: KeyDraft,
  key: ApiKey,
): Exclude<MessageInitShape<typeof ApiKeyChangesSchema>, { $typeName: string }> | undefined {
  const before = draftOf(key);
  const ranges = changedIpRanges(draft.ipRanges, key.ipAllowlist?.ranges);
  const hasNewScopes = draft.access !== before.access || draft.scopes.join(" ") !== before.scopes.join(" ");
  const changes = {
    ...(draft.name !== before.name && { name: draft.name }),
    ...(draft.origins !== before.origins && { origins: { origins: parseLines(draft.origins) } }),
    ...(hasNewScopes && draft.access !== "unnamed" && { scopes: scopesOf(draft) }),
    ...(ranges !== undefined && { ipAllowlist: { ranges: [...ranges] } }),
    ...(draft.requestsPerMinute !== before.requestsPerMinute && {
      requestsPerMinute: Number(draft.requestsPerMinute || highestRequestsPerMinute),
    }),
    ...(draft.expiry !== before.expiry && { expiresAt: expiryOf(draft) }),
    ...(draft.signature !== before.signature &&
      (draft.signature === "none"
        ? { requireSignature: false }
        : { minSignatureVersion: signatureVersions[draft.signature] })),
  };
  return Object.keys(changes).length === 0 ? undefined : changes;
}

const signatureVersions: Readonly<Record<Signature, SignatureVersion | undefined>> = {
  none: undefined,
  v1: SignatureVersion.V1,
  v2: SignatureVersion.V2,
};

function scopesOf({ access, scopes }: KeyDraft): { scopes: string[] } | undefined {
  return access === "unnamed" ? undefined : { scopes: access === "all" ? ["*"] : [...scopes] };
}

/** Origins as people write them: one in every line; commas and spaces separate them, too. */
function parseLines(text: string): string[] {
  return text.split(/[\s,;]+/).filter((line) => line !== "");
}

const dayMs = 86_400_000;

/** A date that was not filled in is one that the server refuses. */
function expiryOf({ expiry, expiryDate }: KeyDraft): Timestamp | undefined {
  if (expiry === "never" || expiry === "keep") {
    return undefined;
  }
  const ms = expiry === "date" ? new Date(expiryDate).getTime() : Date.now() + Number(expiry) * dayMs;
  return timestampFromMs(Number.isNaN(ms) ? 0 : Math.floor(ms / 1_000) * 1_000);
}

/** The value of a field of a date and time: local, to the minute. */
export function toLocalInput(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
