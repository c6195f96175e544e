import { VerifyService } from "../../../gen/byond/v1/verify_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import type { OutboxSender } from "../../outbox/outbox.ts";
import { bindService } from "../../rpc/router.ts";
import { type Channels, laneOf } from "../channels/channels.ts";
import type { EmailLookups } from "../email-lookup/look-up-email.ts";
import type { EventObjects } from "../events/event-messages.ts";
import type { RecipientErasure, RecipientExport } from "../recipients/recipient-data.ts";
import { accountVerifications, resetMessageKind } from "./account-verifications.ts";
import { checkStatements } from "./check-verification.ts";
import {
  type CodeDispatcher,
  CodeSender,
  type CodeToSend,
  codeMessageKind,
  codeMessageWithFallbackKind,
  type MessageTemplates,
} from "./code-sender.ts";
import { erasureStatement } from "./erase-recipient.ts";
import { verificationExport } from "./export-verifications.ts";
import { FallbackSender } from "./fallback/fallback-sender.ts";
import { fallbackKind, fallbackLane } from "./fallback/fallback-step.ts";
import { takeStepStatement } from "./fallback/take-fallback-step.ts";
import { fixedCodeExport } from "./fixed-codes/export-fixed-codes.ts";
import { FixedCodeEntity } from "./fixed-codes/fixed-code.entity.ts";
import { GuessCounter, noteGuessesStatement } from "./guessing/guess-counter.ts";
import { GuessSourceEntity } from "./guessing/guess-source.entity.ts";
import { guessSourceSweep } from "./guessing/guess-source-sweep.ts";
import type { GuardModeSql } from "./guessing/slowed-source.ts";
import { startFixedStatement, startStatement } from "./insert-verification.ts";
import { LateNumberSendEntity } from "./late-number-send.entity.ts";
import { resendStatement } from "./resend-code.ts";
import { sealedRecipients } from "./secret-rotation.ts";
import type { SendCharges } from "./send-charges.ts";
import type { SendGuard } from "./send-guard.ts";
import { endUserLimits } from "./send-limits.ts";
import type { AddedSendSteps } from "./send-steps.ts";
import { VerificationEntity } from "./verification.entity.ts";
import { verificationEvents } from "./verification-events.ts";
import { VerificationMetrics } from "./verification-metrics.ts";
import { expirySweep, ownVerificationSweep, verificationSweep } from "./verification-sweep.ts";
import { fallbackPlaces } from "./verify.policy.ts";
import { verifyFieldChecks, verifyService } from "./verify.rpc.ts";
import { Verify0001 } from "./verify-0001.migration.ts";
import { Verify0002 } from "./verify-0002.migration.ts";
import { Verify0003 } from "./verify-0003.migration.ts";
import { Verify0004 } from "./verify-0004.migration.ts";
import { Verify0005 } from "./verify-0005.migration.ts";
import { Verify0006 } from "./verify-0006.migration.ts";
import { Verify0007 } from "./verify-0007.migration.ts";
import { Verify0008 } from "./verify-0008.migration.ts";
import { Verify0009 } from "./verify-0009.migration.ts";
import { Verify0010 } from "./verify-0010.migration.ts";
import { readVerifySettings, type VerifySettings, verifySettings } from "./verify-settings.ts";

/** What this capability offers to others. */
export interface Verifications {
  /** Verifications of the accounts' mail addresses, and of password resets. */
  readonly ofAccounts: ReturnType<typeof accountVerifications>;
  /** How long verifications are kept. */
  readonly retentionDays: number;
  /** The outbox sender of codes that reset passwords. It sends nothing to an address that no account has. */
  resetSenders(hasAccount: (email: string) => Promise<boolean>): Readonly<Record<string, OutboxSender>>;
}

interface Needs {
  readonly channels: Offer<Channels>;
  readonly emailLookup: Offer<EmailLookups>;
  /** The texts of workspaces' own. Default: every message has the server's. */
  readonly templates?: Offer<MessageTemplates>;
  /** Steps that other capabilities add to the statement of a send. */
  readonly sendSteps?: AddedSendSteps;
  /** Judges sends before their statement. Its steps are among the others. Default: nothing is judged. */
  readonly sendGuard?: SendGuard;
  /** Holds the prices of sends before their statement. Default: nothing costs anything. */
  readonly charges?: Offer<{ readonly sends: SendCharges | undefined }>;
  /** What they erase with a recipient. */
  readonly erasures?: readonly RecipientErasure[];
  /** The guard's mode of a workspace, which says whether sources that guess codes are slowed. Default: they are. */
  readonly guardMode?: GuardModeSql;
}

const enforced: GuardModeSql = () => "'enforce'";

/** One-time codes: starts, sends and checks verifications. */
export function verifyCapability({
  channels: offered,
  emailLookup,
  templates,
  sendSteps = {},
  sendGuard: guard,
  charges: offeredCharges,
  erasures = [],
  guardMode = enforced,
}: Needs) {
  const offer = new Offer<Verifications>("verify");
  const eventsOffer = new Offer<EventObjects>("verify");
  const capability: Capability<VerifySettings> = {
    name: "verify",
    scopes: ["verify", "reports"],
    entities: [VerificationEntity, FixedCodeEntity, GuessSourceEntity, LateNumberSendEntity],
    migrations: [
      { name: "verify-0001", class: Verify0001 },
      { name: "verify-0002", class: Verify0002 },
      { name: "verify-0003", class: Verify0003 },
      { name: "verify-0004", class: Verify0004 },
      { name: "verify-0005", class: Verify0005 },
      { name: "verify-0006", class: Verify0006 },
      { name: "verify-0007", class: Verify0007 },
      { name: "verify-0008", class: Verify0008 },
      { name: "verify-0009", class: Verify0009 },
      { name: "verify-0010", class: Verify0010 },
    ],
    workspaceTables: {
      verification: "id",
      fixed_code: "id",
      guess_source: "source",
      late_number_send: "message_id",
    },
    settings: [verifySettings],
    readSettings: readVerifySettings,
    sealed: sealedRecipients,
    start(
      { database, events, keyring, quota, serverId, clock, logger, dispatch, url },
      { retentionDays, sendLimits, allowsFixedCodes },
    ) {
      const channels = offered.value;
      const charges = offeredCharges?.value.sends;
      const codes: CodeDispatcher = {
        serverId,
        monotonicMs: () => clock.monotonicMs(),
        laneFor: (channel, mode) => (channels.isAvailable(channel, mode) ? laneOf(channel, mode) : undefined),
        hasProvider: (channel, mode) => mode === "live" && channels.hasProvider(channel),
        dispatch,
      };
      const deps = {
        database,
        keyring,
        codes,
        guard,
        charges,
        start: startStatement(sendSteps),
        startFixed: startFixedStatement(sendSteps),
        resend: resendStatement(sendSteps),
        checks: checkStatements(guardMode),
        erase: erasureStatement(erasures),
        erasures,
      };
      offer.give({
        retentionDays,
        ofAccounts: accountVerifications(deps),
        resetSenders: (hasAccount) => ({
          [resetMessageKind]: new CodeSender({ database, keyring, channels, reset: { hasAccount, url } }),
        }),
      });
      const guesses = new GuessCounter({ database, clock, events, logger, note: noteGuessesStatement(guardMode) });
      const sender = new CodeSender({
        database,
        keyring,
        channels,
        // That capability is started later, too.
        ...(templates === undefined
          ? {}
          : { templates: { find: (message: CodeToSend) => templates.value.find(message) } }),
      });
      eventsOffer.give(verificationEvents({ database, keyring }));
      // That capability is started later.
      const emails: EmailLookups = {
        lookUp: (text, workspaceId) => emailLookup.value.lookUp(text, workspaceId),
      };
      const verificationMetrics = new VerificationMetrics();
      const service = verifyService({
        metrics: verificationMetrics,
        ...deps,
        events,
        quota,
        sendLimits,
        guesses,
        allowsFixedCodes,
        emails,
      });
      return {
        services: [
          {
            binding: bindService(VerifyService, service),
            fieldChecks: verifyFieldChecks,
            shed: { startVerification: "second", resendCode: "second", listVerifications: "second" },
          },
        ],
        senders: {
          [codeMessageKind]: sender,
          [codeMessageWithFallbackKind]: sender,
          [fallbackKind]: new FallbackSender({
            database,
            keyring,
            codes,
            guard,
            charges,
            takeStep: takeStepStatement(sendSteps),
            originLimitsOf: (endUser) => endUserLimits(sendLimits, endUser),
          }),
        },
        lanes: { [fallbackLane]: fallbackPlaces },
        metrics: verificationMetrics.metrics,
        sweeps: [
          expirySweep({ database, events }),
          verificationSweep({ database }, retentionDays),
          ownVerificationSweep({ database }),
          guessSourceSweep({ database }),
        ],
        close: () => guesses.stop(),
      };
    },
  };
  /** Of all that `erasureStatement` itself erases. */
  const exports: readonly RecipientExport[] = [verificationExport, fixedCodeExport];
  return { ...capability, offer, events: eventsOffer, exports };
}
