import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type LookupNumberResponse, LookupNumberResponseSchema } from "../../../../gen/byond/v1/lookup_pb.ts";
import { type Keyring, type MasterSecret, seal, unseal } from "../../../crypto/keyring.ts";
import type { LiveSource } from "../live-source.ts";
import type { LookupResult } from "../lookup-number.ts";
import { toLookupResponse } from "../lookup-proto.ts";

/** The index of a number under a master secret: the one of recipients, which `app.ts` passes in. */
export type NumberIndex = (secret: MasterSecret, number: string) => string;

/** What was looked up and found. */
export interface FoundLookup {
  readonly result: LookupResult;
  /** What the number's network said. */
  readonly state?: Awaited<ReturnType<LiveSource["find"]>>;
  /** Of the item of a batch. */
  readonly reference?: string | undefined;
}

/** What the row of a lookup has sealed. */
export interface StoredLookup {
  /** What the row is found by: the number in E.164 form, or as it was sent. */
  readonly number: string;
  readonly reference: string | undefined;
  readonly response: LookupNumberResponse;
}

interface LookupRow {
  readonly workspaceId: string;
  readonly id: string;
}

/** What a lookup is found by: its number in E.164 form or, if it cannot be parsed, as it was sent. */
export function numberOf({ e164, input }: Pick<LookupResult, "e164" | "input">): string {
  return e164 ?? input;
}

export function sealLookup(keyring: Keyring, row: LookupRow, { result, state, reference }: FoundLookup): Buffer {
  const response = toJson(
    LookupNumberResponseSchema,
    create(LookupNumberResponseSchema, toLookupResponse(result, state)),
  );
  return sealText(keyring, row, JSON.stringify({ number: numberOf(result), reference, response }));
}

export function sealText(keyring: Keyring, row: LookupRow, text: string): Buffer {
  return seal(keyring, "lookup-seal", contextOf(row), text);
}

/** What was sealed. Undefined if its master secret is gone. */
export function unsealText(keyring: Keyring, row: LookupRow, sealed: Buffer): string | undefined {
  return unseal(keyring, "lookup-seal", contextOf(row), sealed);
}

/** Reads what `sealLookup` sealed. Newer servers may have sealed fields that this one does not know. */
export function parseLookup(text: string): StoredLookup {
  const { number, reference, response }: { number: string; reference?: string; response: JsonValue } = JSON.parse(text);
  return {
    number,
    reference,
    response: fromJson(LookupNumberResponseSchema, response, { ignoreUnknownFields: true }),
  };
}

function contextOf({ workspaceId, id }: LookupRow): string {
  return `${workspaceId}/${id}`;
}
