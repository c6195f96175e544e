/** How an access token is signed and read. How long one lives: `accounts.policy.ts`. */
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Clock } from "../../clock.ts";
import type { Keyring } from "../../crypto/keyring.ts";

const issuer = "byond";
const audience = "byond:session";

/** The claims of an access token. */
export interface SessionClaims {
  readonly userId: string;
  readonly workspaceId: string;
  readonly sessionId: string;
  /** The revision of the account when the session began. */
  readonly tokenRevision: number;
}

interface Dependencies {
  readonly keyring: Keyring;
  readonly clock: Clock;
}

/** Signs and reads the access tokens of sessions: JWTs (RFC 7519) with HS256, under a subkey of the master secret. */
export class AccessTokens {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** A token that is valid for `lifeSeconds` from now. */
  async sign(session: SessionClaims, lifeSeconds: number): Promise<string> {
    const { current } = this.#deps.keyring;
    const now = Math.floor(this.#deps.clock.now().getTime() / 1000);
    return new SignJWT({ workspace_id: session.workspaceId, sid: session.sessionId, rev: session.tokenRevision })
      .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: current.id })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(session.userId)
      .setIssuedAt(now)
      .setExpirationTime(now + lifeSeconds)
      .sign(current.subkey("session-token"));
  }

  /**
   * The claims of a token. Undefined if it is malformed, forged or expired, or its master secret is gone. Whether its
   * session is alive is for `SessionAuthenticator`.
   */
  async read(token: string): Promise<SessionClaims | undefined> {
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const secret = this.#deps.keyring.find(kid ?? "");
          if (secret === undefined) {
            throw new errors.JWTInvalid("signed with a secret that this server does not have");
          }
          return secret.subkey("session-token");
        },
        { algorithms: ["HS256"], issuer, audience, currentDate: this.#deps.clock.now() },
      );
      return claimsOf(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) {
        return undefined;
      }
      throw error;
    }
  }
}

function claimsOf({ sub, workspace_id: workspaceId, sid, rev }: JWTPayload): SessionClaims | undefined {
  return typeof sub === "string" &&
    typeof workspaceId === "string" &&
    typeof sid === "string" &&
    typeof rev === "number"
    ? { userId: sub, workspaceId, sessionId: sid, tokenRevision: rev }
    : undefined;
}
