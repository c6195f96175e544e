import { AuthService } from "../../../gen/byond/v1/auth_pb.ts";
import type { SessionCaller } from "../../access/caller.ts";
import { SessionCookies } from "../../access/session-cookie.ts";
import { type Capability, Offer, type Platform } from "../../capability.ts";
import { Hasher } from "../../crypto/argon2-hasher.ts";
import { hashMetrics } from "../../crypto/hash-metrics.ts";
import type { Repetition } from "../../idempotency/idempotency-interceptor.ts";
import { bindService } from "../../rpc/router.ts";
import { type Channels, laneOf } from "../channels/channels.ts";
import { channelNames } from "../channels/outgoing-message.ts";
import type { KeyIssuing } from "../keys/keys.capability.ts";
import type { Verifications } from "../verify/verify.capability.ts";
import { AccessTokens } from "./access-tokens.ts";
import { AccountEntity } from "./account.entity.ts";
import { type AccountSettings, accountSettings, describeAccounts, readAccountSettings } from "./account-settings.ts";
import { Accounts0001 } from "./accounts-0001.migration.ts";
import { authFieldChecks, authService } from "./auth.rpc.ts";
import { SessionAuthenticator } from "./authenticate-session.ts";
import { createDecoyHash, requirePassword } from "./check-password.ts";
import { closedWorkspaceSweep } from "./closed-workspace-sweep.ts";
import { consoleEntryPage, consoleEntryPath } from "./console-entry-page.ts";
import { ConsoleLink } from "./console-link.ts";
import { createAccountCommand } from "./create-account-command.ts";
import { createDemoWorkspace, hasDemoWorkspace } from "./demo-workspace.ts";
import { endAllSessions } from "./end-all-sessions.ts";
import { sessionSweep } from "./end-sessions.ts";
import { FailedCallLimits } from "./failed-call-limits.ts";
import { findAccountsByEmail, findOwnerEmail } from "./find-account.ts";
import { KnownSourceEntity } from "./known-source.entity.ts";
import { knownSourceSweep } from "./known-sources.ts";
import { countPasswordComparison } from "./password-attempts.ts";
import { resetPasswordCommand } from "./reset-password-command.ts";
import { SessionEntity } from "./session.entity.ts";
import { setTierCommand } from "./set-tier-command.ts";
import { AccountEndingSender, accountEndingKind, unverifiedAccountSweep } from "./unverified-account-sweep.ts";

/** Each takes a core, whichever process of the server it is in. */
const hashesAtOnce = ({ count }: Platform["siblings"]) => Math.max(1, Math.floor(2 / count));

interface Needs {
  readonly channels: Offer<Channels>;
  readonly keys: Offer<KeyIssuing>;
  readonly verifications: Offer<Verifications>;
}

/** The users that workspaces belong to. What accounts offer to others. */
export interface AccountOwners {
  /** The verified address of the owner of a workspace. Undefined if it has none. */
  emailOf(workspaceId: string): Promise<string | undefined>;
  /** Throws `invalid_password` for a wrong password of the user who is signed in, and `rate_limited` after too many of those. */
  requirePassword(
    caller: SessionCaller,
    attempt: { readonly password: string; readonly clientAddress: string | undefined },
  ): Promise<void>;
  /** For services whose requests have a password: see `CapabilityService.beforeComparison`. */
  beforeComparison(repetition: Repetition): Promise<void>;
}

/** Accounts, their workspaces, passwords and sessions. */
export function accountsCapability(needs: Needs) {
  const offer = new Offer<AccountOwners>("accounts");
  const capability: Capability<AccountSettings> = {
    name: "accounts",
    entities: [AccountEntity, SessionEntity, KnownSourceEntity],
    migrations: [{ name: "accounts-0001", class: Accounts0001 }],
    // Not `account`: what is erased is a workspace that has no account any more.
    workspaceTables: { account: null, session: "id" },
    settings: [accountSettings],
    readSettings: readAccountSettings,
    describe: describeAccounts,
    async afterRestore({ database }) {
      return [`Sessions ended: ${await endAllSessions(database)}.`];
    },
    commands: {
      "create-account": createAccountCommand,
      "reset-password": resetPasswordCommand,
      "set-tier": setTierCommand,
    },
    async start(platform, settings) {
      const { server, database, clock, keyring, tagKey, revocation, url } = platform;
      const { signUp, signUpsPerHour, sessionMaxDays, defaultTier } = settings;
      const channels = needs.channels.value;
      const verifications = needs.verifications.value;
      const passwordHasher = new Hasher({
        cost: platform.passwordCost,
        concurrency: hashesAtOnce(platform.siblings),
        maxWaiting: 100,
      });
      const accessTokens = new AccessTokens({ keyring, clock });
      const sessionCookies = new SessionCookies({
        publicUrl: platform.publicUrl,
        hasProxies: platform.proxyTrust.trustedProxies.length > 0,
      });
      const sessions = new SessionAuthenticator({ database, accessTokens, revocation });
      const sendsMail = channels.hasProvider("email");
      const beforeComparison = (repetition: Repetition) => countPasswordComparison({ database, keyring }, repetition);
      offer.give({
        emailOf: (workspaceId) => findOwnerEmail({ database }, workspaceId),
        requirePassword: (caller, attempt) => requirePassword({ database, passwordHasher, keyring }, caller, attempt),
        beforeComparison,
      });
      const sessionDeps = { database, accessTokens, sessionMaxDays, keyring, tagKey };
      const service = authService({
        ...sessionDeps,
        passwordHasher,
        decoyHash: await createDecoyHash(passwordHasher),
        revocation,
        defaultTier,
        emailVerifications: verifications.ofAccounts,
        signUp,
        signUpsPerHour,
        sessionCookies,
        clock,
        failedCallLimits: new FailedCallLimits(clock),
      });
      const demo = { database, passwordHasher, keys: needs.keys.value, defaultTier };
      const demoKey = server.isEmbedded ? await createDemoWorkspace(demo) : undefined;
      // On a public server, whoever reads the log would be signed in.
      const hasDemo = server.isEmbedded && !server.isPublic && (await hasDemoWorkspace({ database }));
      const link = hasDemo ? await ConsoleLink.create(platform.siblings.state) : undefined;
      return {
        services: [
          {
            binding: bindService(AuthService, service),
            fieldChecks: authFieldChecks,
            // Signing up and the like are several steps, of which some only count the attempt: once begun, they are finished.
            endsAtDeadline: false,
            beforeComparison,
            beforeReplay: () => revocation.confirmEarlier(),
          },
        ],
        authenticator: {
          authenticateSession: (token) => sessions.authenticateSession(token),
          sessionCookies,
          // Where anybody can sign up, and messages really leave the server.
          liveKeysNeedVerifiedEmail: signUp === "open" && channelNames.some((channel) => channels.hasProvider(channel)),
        },
        senders: {
          ...verifications.resetSenders(async (email) => (await findAccountsByEmail({ database }, email)).length > 0),
          [accountEndingKind]: new AccountEndingSender({ database, channels, url }),
        },
        sweeps: [
          ...(sendsMail ? [unverifiedAccountSweep({ database, revocation, lane: laneOf("email", "live") })] : []),
          sessionSweep({ database }),
          knownSourceSweep({ database }),
          // Last: an account with a million rows takes minutes, and on a lone server the sweeps that come after it wait.
          closedWorkspaceSweep({ database }, platform.workspaceTables),
        ],
        metrics: hashMetrics("password", passwordHasher),
        calls: ({ errors }) => {
          const deps = { ...sessionDeps, sessionCookies, clock };
          return new Map(link === undefined ? [] : [[consoleEntryPath, consoleEntryPage(deps, { link, errors })]]);
        },
        greeting: { demoKey, consoleLink: link && (() => url() + consoleEntryPath + link.query) },
      };
    },
  };
  return { ...capability, offer };
}
