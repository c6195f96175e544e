import type { Queryable } from "../database/database.ts";
import type { OutboxItem } from "../delivery/outbox.ts";
import { checkVerification } from "./check-verification.ts";
import { type StartDependencies, startVerification } from "./start-verification.ts";

/** Not a workspace: whose verifications those are that the server starts for itself. No key can see them. */
const house = { workspaceId: "ws_byond", workspaceName: "Byond", mode: "live", credential: null } as const;

const codeLength = 6;
const ttlSeconds = 900;

/** Verifications of the mail addresses that people sign in with: ours, by the same rules as everybody's. */
export function accountVerifications(deps: Omit<StartDependencies, "database">) {
  return {
    async start(transaction: Queryable, email: string) {
      const queued: OutboxItem[] = [];
      const codes = { ...deps.codes, dispatch: (item: OutboxItem) => void queued.push(item) };
      const started = await startVerification({ ...deps, database: transaction, codes }, house, {
        channel: "email",
        recipient: email,
        brand: undefined,
        codeLength,
        ttlSeconds,
        locale: undefined,
        autofillDomain: undefined,
        metadata: {},
        originLimits: [],
      });
      return { ...started, send: () => queued.forEach((item) => void deps.codes.dispatch(item)) };
    },
    check: (transaction: Queryable, verificationId: string, code: string) =>
      checkVerification({ ...deps, database: transaction }, house, { verificationId, code }),
  };
}
