import { errors, jwtVerify, SignJWT } from "jose";
import type { Clock } from "../clock.ts";
import type { SessionCaller } from "../rpc/caller.ts";
import type { Keyring } from "../secrets.ts";

/** How long an access token is valid. */
export const accessTokenSeconds = 900;

const issuer = "byond";
const audience = "byond:session";

interface Dependencies {
  readonly keyring: Keyring;
  readonly clock: Clock;
}

/** Signs and checks the access tokens of sessions: JWTs (RFC 7519) with HS256, under a subkey of the master secret. */
export class SessionTokens {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** A token for `accessTokenSeconds` from now. */
  async sign(session: Omit<SessionCaller, "kind">): Promise<string> {
    const { current } = this.#deps.keyring;
    const now = Math.floor(this.#deps.clock.now().getTime() / 1000);
    return new SignJWT({ workspace_id: session.workspaceId })
      .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: current.id })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(session.userId)
      .setIssuedAt(now)
      .setExpirationTime(now + accessTokenSeconds)
      .sign(current.subkey("session-token"));
  }

  /** Whose session a token is. Undefined if it is malformed, forged, expired, or of a secret that is gone. */
  async authenticateSession(token: string): Promise<SessionCaller | undefined> {
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
      const { sub, workspace_id: workspaceId } = payload;
      return typeof sub === "string" && typeof workspaceId === "string"
        ? { kind: "session", userId: sub, workspaceId }
        : undefined;
    } catch (error) {
      if (error instanceof errors.JOSEError) {
        return undefined;
      }
      throw error;
    }
  }
}
