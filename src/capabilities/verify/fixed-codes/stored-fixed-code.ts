import { type Keyring, unseal } from "../../../crypto/keyring.ts";
import { deriveFixedCode } from "../code.ts";
import type { FixedCodeView } from "./fixed-code-proto.ts";

/** A row as it is read. */
export interface StoredFixedCode {
  readonly workspaceId: string;
  readonly id: string;
  readonly recipientSealed: Uint8Array;
  readonly codeLength: number;
  readonly secretId: string;
  readonly description?: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** The sealing context of a fixed code's recipient. */
export function fixedCodeContext({ workspaceId, id }: { readonly workspaceId: string; readonly id: string }): string {
  return `${workspaceId}/${id}`;
}

/** Shows a row with its recipient and its code. Both are null without the master secret that they need. */
export function fixedCodeView(keyring: Keyring, row: StoredFixedCode): FixedCodeView {
  const { id, codeLength: length, description, expiresAt, createdAt, createdBy } = row;
  const secret = keyring.find(row.secretId);
  return {
    id,
    recipient: unseal(keyring, "recipient-seal", fixedCodeContext(row), Buffer.from(row.recipientSealed)) ?? null,
    code: secret === undefined ? null : deriveFixedCode(secret, { fixedCodeId: id, length }),
    description: description ?? null,
    expiresAt,
    createdAt,
    createdBy,
  };
}
