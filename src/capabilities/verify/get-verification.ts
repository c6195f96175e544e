import type { Mode } from "../../access/caller.ts";
import { isId } from "../../crypto/ids.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { type VerificationView, type ViewRow, viewOf, viewParameters, viewText } from "./verification-view.ts";

/** Names a verification. It is found only in its own workspace and mode. */
export interface VerificationRef {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly verificationId: string;
}

const readVerification = statement<ViewRow>("read_verification")({ ...viewParameters, mode: text, id: text }, (p) =>
  viewText(p, { conditions: `mode = ${p.mode} AND id = ${p.id}` }),
);

/** Returns the verification as it is now. Throws `not_found` if the workspace has no such verification in this mode. */
export async function getVerification(
  { database, keyring }: { readonly database: Queryable; readonly keyring: Keyring },
  { workspaceId, mode, verificationId }: VerificationRef,
): Promise<VerificationView> {
  const knownSecrets = keyring.all.map((secret) => secret.id);
  const [row] = await database.run(readVerification, { workspaceId, knownSecrets, mode, id: verificationId });
  if (row === undefined) {
    throw verificationNotFound();
  }
  return viewOf(keyring, workspaceId, row);
}

/**
 * Returns the id that a caller presents if it has the form of one, and throws `not_found` otherwise. People paste secrets into
 * fields for ids: those must not reach a statement, which the database may log.
 */
export function verificationIdOf(presented: string): string {
  if (!isId("vrf", presented)) {
    throw verificationNotFound();
  }
  return presented;
}

export function verificationNotFound(): AppError {
  return new AppError("not_found", "There is no verification with this id.");
}
