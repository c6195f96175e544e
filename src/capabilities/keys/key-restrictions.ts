import { sql } from "kysely";
import type { SignatureVersion } from "../../access/request-signature.ts";
import { invalidFields } from "../../errors.ts";

/** The restrictions of a key. */
export interface Restrictions {
  /** Null: everything is allowed. Never empty. */
  readonly scopes: readonly string[] | null;
  /** Null: from everywhere. Never empty. */
  readonly ipAllowlist: readonly string[] | null;
  /** The key is publishable, for pages of these origins. Null: it is secret. Never empty. */
  readonly origins: readonly string[] | null;
  /** In any 60 seconds. Null: as many as the workspace may. */
  readonly requestsPerMinute: number | null;
  readonly requireSignature: boolean;
  /** Counts where signatures are required. */
  readonly minSignatureVersion: SignatureVersion;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

/** A key without restrictions. */
export const unrestricted: Restrictions = {
  scopes: null,
  ipAllowlist: null,
  origins: null,
  requestsPerMinute: null,
  requireSignature: false,
  minSignatureVersion: "v1",
  expiresAt: null,
};

/**
 * An expiry as it is stored: in whole seconds. Bound as text in UTC: the driver writes a `Date` in local time, whose offset has
 * seconds before 1900, and leaves those out.
 */
export const storedExpiry = (expiresAt: Date) =>
  sql<Date>`date_trunc('seconds', ${expiresAt.toISOString()}::timestamptz)`;

/** Whether a key that was just written expires later than now. Null: it never does. */
export const expiresLater = sql<boolean | null>`expires_at > byond_now()`.as("expiresLater");

/** The error for an expiry that is not in the future, by the database's clock. */
export function expiryProblem(field: string) {
  return invalidFields({ [field]: "must be in the future" });
}
