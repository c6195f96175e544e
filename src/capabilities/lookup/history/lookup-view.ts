import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Keyring } from "../../../crypto/keyring.ts";
import { parseLookup, type StoredLookup, unsealText } from "./stored-lookup.ts";

/** The row of a lookup. */
export interface LookupRow {
  readonly id: string;
  readonly sealed: Buffer;
  readonly createdAt: Date;
}

/** A lookup as its workspace sees it. */
export interface LookupView extends Partial<StoredLookup> {
  readonly id: string;
  readonly createdAt: Date;
}

/** Without its response if its master secret is gone. */
export function lookupView(keyring: Keyring, workspaceId: string, { id, sealed, createdAt }: LookupRow): LookupView {
  const text = unsealText(keyring, { workspaceId, id }, sealed);
  return { ...(text === undefined ? {} : parseLookup(text)), id, createdAt };
}

export function lookupMessage({ id, reference, response, createdAt }: LookupView) {
  return {
    lookupId: id,
    ...(reference === undefined ? {} : { reference }),
    ...(response === undefined ? {} : { result: response }),
    createdAt: timestampFromDate(createdAt),
  };
}
