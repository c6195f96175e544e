import type { Queryable } from "../database/database.ts";
import { AppError } from "../errors.ts";
import type { Mode } from "../rpc/caller.ts";
import type { Keyring } from "../secrets.ts";
import { readViews, type VerificationView, viewStatement } from "./verification-view.ts";

/** Which verification: of this workspace and mode only. */
export interface VerificationRef {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly verificationId: string;
}

const readVerification = viewStatement("read_verification", "mode = $3 AND id = $4");

/** The verification as it is now. Throws `not_found` for an id that does not exist in this workspace and mode. */
export async function getVerification(
  deps: { readonly database: Queryable; readonly keyring: Keyring },
  { workspaceId, mode, verificationId }: VerificationRef,
): Promise<VerificationView> {
  const [view] = await readViews(deps, readVerification, workspaceId, [mode, verificationId]);
  if (view === undefined) {
    throw new AppError("not_found", "There is no verification with this id.");
  }
  return view;
}
