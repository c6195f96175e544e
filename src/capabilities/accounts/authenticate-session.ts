import type { Authenticated } from "../../access/authorize.ts";
import type { SessionCaller } from "../../access/caller.ts";
import type { Tier } from "../../access/tiers.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { CredentialCache, Loaded } from "../../revocation/credential-cache.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { accountSubject, sessionSubject, workspaceSubject } from "../../revocation/revocation-subjects.ts";
import type { AccessTokens } from "./access-tokens.ts";

interface LiveSession {
  readonly accountId: string;
  readonly tokenRevision: number;
  readonly tier: Tier;
  readonly isVerified: boolean;
}

/** Reads a live session: its account has the same revision, and its workspace is not shut down. */
const read = statement<LiveSession>("read_session")(
  { workspaceId: text, id: text },
  (p) => `
    SELECT session.account_id, session.token_revision, workspace.tier, account.email_verified_at IS NOT NULL AS is_verified
    FROM session
      JOIN account ON account.id = session.account_id AND account.token_revision = session.token_revision
      JOIN workspace ON workspace.id = session.workspace_id AND workspace.deactivated_at IS NULL
    WHERE session.workspace_id = ${p.workspaceId} AND session.id = ${p.id}`,
);

const maxRememberedSessions = 100_000;

interface Dependencies {
  readonly database: Queryable;
  readonly accessTokens: AccessTokens;
  readonly revocation: Pick<RevocationService, "cache">;
}

/**
 * Authenticates access tokens. The token names the session; whether the session is alive is read once and cached until it is
 * revoked.
 */
export class SessionAuthenticator {
  readonly #deps: Dependencies;
  readonly #sessions: CredentialCache<LiveSession>;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#sessions = deps.revocation.cache({
      load: (name) => readSession(deps.database, name),
      subjectOf: (name) => sessionSubject(partsOf(name).sessionId),
      maxEntries: maxRememberedSessions,
    });
  }

  /** The caller of a valid token. Undefined if it is malformed, forged or expired, or if its session has ended. */
  async authenticateSession(token: string): Promise<Authenticated<SessionCaller> | undefined> {
    const claims = await this.#deps.accessTokens.read(token);
    if (claims === undefined) {
      return undefined;
    }
    const { userId, workspaceId, sessionId, tokenRevision } = claims;
    const found = await this.#sessions.get(`${workspaceId}/${sessionId}`);
    if (found?.record.accountId !== userId || found.record.tokenRevision !== tokenRevision) {
      return undefined;
    }
    const { tier, isVerified } = found.record;
    return {
      caller: { kind: "session", workspaceId, tier, userId, sessionId, isVerified },
      basis: { subjects: found.subjects, asOf: found.asOf },
    };
  }
}

/** Workspace and session id, as the cache joins them: the primary key of a session. */
function partsOf(name: string): { readonly workspaceId: string; readonly sessionId: string } {
  const [workspaceId = "", sessionId = ""] = name.split("/", 2);
  return { workspaceId, sessionId };
}

async function readSession(database: Queryable, name: string): Promise<Loaded<LiveSession> | undefined> {
  const { workspaceId, sessionId } = partsOf(name);
  const [record] = await database.run(read, { workspaceId, id: sessionId });
  return record && { record, subjects: [accountSubject(record.accountId), workspaceSubject(workspaceId)] };
}
