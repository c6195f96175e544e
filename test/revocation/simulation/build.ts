import { AppliedRevocations } from "../../../src/revocation/applied-revocations.ts";
import { CredentialCache } from "../../../src/revocation/credential-cache.ts";
import { Lease } from "../../../src/revocation/lease.ts";
import { Revoker } from "../../../src/revocation/revoker.ts";
import type { Flaws } from "./model-postgres.ts";

/** The code that a run drives, and the database that it runs on. */
export interface Build {
  readonly AppliedRevocations: typeof AppliedRevocations;
  readonly CredentialCache: typeof CredentialCache;
  readonly Lease: typeof Lease;
  readonly Revoker: typeof Revoker;
  readonly flaws: Flaws;
  /** What servers do with a notification: look into the database, or believe what it says. */
  readonly onNotification: "catch up" | "apply its number";
  /** What a revocation does that finds everything revoked already, because another one died before it answered. */
  readonly onRepetition: "revoke again" | "answer at once";
}

/** What runs in production. */
export const productionBuild: Build = {
  AppliedRevocations,
  CredentialCache,
  Lease,
  Revoker,
  flaws: {},
  onNotification: "catch up",
  onRepetition: "revoke again",
};
