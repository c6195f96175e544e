import type { Mode } from "../../access/caller.ts";
import { isId } from "../../crypto/ids.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import { readViews, type VerificationView, viewStatement } from "./verification-view.ts";

/** Which verification: of this workspace and mode only. */
export interface VerificationRef {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly verificationId: string;
}

const readVerification = viewStatement("read_verification", { conditions: "mode = $3 AND id = $4" });

/** The verification as it is now. Throws `not_found` for an id that does not exist in this workspace and mode. */
export async function getVerification(
  deps: { readonly database: Queryable; readonly keyring: Keyring },
  { workspaceId, mode, verificationId }: VerificationRef,
): Promise<VerificationView> {
  const [view] = await readViews(deps, readVerification, workspaceId, [mode, verificationId]);
  if (view === undefined) {
    throw verificationNotFound();
  }
  return view;
}

/**
 * An id as it came, if it has the form of one; otherwise throws `not_found`. What people paste in the place of an id may be
 * a secret: it goes no further, to the statements that a database may log least of all.
 */
export function verificationIdOf(text: string): string {
  if (!isId("vrf", text)) {
    throw verificationNotFound();
  }
  return text;
}

export function verificationNotFound(): AppError {
  return new AppError("not_found", "There is no verification with this id.");
}
