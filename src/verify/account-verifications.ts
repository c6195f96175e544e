import { checkVerification } from "./check-verification.ts";
import { type StartDependencies, startVerification } from "./start-verification.ts";

/** Not a workspace: whose verifications those are that the server starts for itself. No key can see them. */
const house = { workspaceId: "ws_byond", workspaceName: "Byond", mode: "live", keyPrefix: undefined } as const;

const codeLength = 6;
const ttlSeconds = 900;

/** Verifications of the mail addresses that people sign in with: ours, by the same rules as everybody's. */
export function accountVerifications(deps: StartDependencies) {
  return {
    start: (email: string) =>
      startVerification(deps, house, {
        channel: "email",
        recipient: email,
        brand: undefined,
        codeLength,
        ttlSeconds,
        locale: undefined,
        autofillDomain: undefined,
        metadata: {},
        originLimits: [],
      }),
    check: (verificationId: string, code: string) =>
      checkVerification(deps, { workspaceId: house.workspaceId, mode: house.mode, verificationId, code }),
  };
}
