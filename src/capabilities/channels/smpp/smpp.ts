import { createHash } from "node:crypto";
import type { SendResult } from "../../../outbox/send-result.ts";
import { systemTimers, type Timers } from "../../../outbox/timers.ts";
import { checkConnection } from "../../../outgoing/check-connection.ts";
import { resultOf } from "../error-meaning.ts";
import { messageIdOf } from "../http/http-post.ts";
import type { Provider, ProviderDependencies, ProviderKind } from "../provider-kind.ts";
import { providerText } from "../provider-text.ts";
import { readSenders, type Senders, senderFor } from "../sms-text/senders.ts";
import { meaningOfStatus, statuses } from "./command-status.ts";
import { normalizeId, readDeliveryReceipt } from "./delivery-receipt.ts";
import { ReceiptIntake } from "./receipt-intake.ts";
import { encodeText } from "./short-message.ts";
import { SmppClient, type SubmitAnswer } from "./smpp-client.ts";
import { readSmppConfig, type SmppConfig } from "./smpp-config.ts";
import { submitFields } from "./submit-fields.ts";

/** An SMSC, over SMPP 3.4. */
export const smppKind: ProviderKind = {
  name: "smpp",
  schemes: ["smpp", "smpps"],
  channels: ["sms"],
  facts: {
    dsn: "`smpps://system_id:password@smsc.example.com:3550?from=Acme`",
    reports: "yes, on the connection; with `bind=transmitter` no",
    signature: "no callbacks: reports come over the connection that the server made",
    finalState: "`delivered` or `failed`; with `bind=transmitter` `sent`",
  },
  configure(dsn, { channel }) {
    const senders = readSenders(dsn.parameters, channel, { isRequired: false });
    const config = { ...readSmppConfig(dsn), senders };
    const submitting = config.modes.filter((mode) => mode !== "receiver").length;
    return {
      concurrency: submitting * config.window,
      address: `${dsn.scheme}://${dsn.host}:${config.port}`,
      // No bind: of an account that may have only so many, it could be one that a server needs.
      check: () => checkConnection(config),
      create: (deps) => createSmppProvider(config, deps),
    };
  },
};

/** How long an SMSC may take. The specification leaves it to the client. */
const timeouts = { bindMs: 10_000, responseMs: 10_000, unbindMs: 2_000 };

export interface SmppOptions extends SmppConfig {
  /** None: the SMSC has a sender for the account. */
  readonly senders: Senders;
}

/** Binds at once, and stays bound: receipts of messages that were sent before the start arrive, too. */
function createSmppProvider(options: SmppOptions, deps: ProviderDependencies, timers: Timers = systemTimers): Provider {
  const { name, clock, logger, record } = deps;
  const intake = new ReceiptIntake({ provider: name, logger, clock, timers, record });
  const { encoding, idForms, serviceType, senderKind, senders, ...connection } = options;
  const wantsReceipt = options.modes.some((mode) => mode !== "transmitter");
  const client = new SmppClient(
    {
      ...connection,
      timeouts,
      async onDelivery(fields) {
        const receipt = readDeliveryReceipt(fields, idForms);
        // Messages of people are dropped. So are receipts that are not final.
        if (receipt === undefined || receipt.state === "underway") {
          return statuses.ok;
        }
        const { messageId, state, reason, isUndeliverable } = receipt;
        const result = await intake.take({
          messageId,
          state,
          at: clock.now(),
          error: state === "failed" ? reason : null,
          ...(isUndeliverable ? { undeliverable: true } : {}),
        });
        return result === "later" ? statuses.temporaryError : statuses.ok;
      },
    },
    { provider: name, logger, timers, monotonicMs: () => clock.monotonicMs(), random: Math.random },
  );
  return {
    name,
    async send(message, { idempotencyKey, signal }) {
      const now = clock.now();
      const { parts, segments } = encodeText(providerText(message, now), encoding, referenceOf(idempotencyKey));
      const addresses = { sender: senderFor(senders, message.recipient) ?? "", recipient: message.recipient };
      const secondsLeft = (message.expiresAt.getTime() - now.getTime()) / 1_000;
      const fields = submitFields(parts, addresses, secondsLeft, { serviceType, senderKind, wantsReceipt });
      const answer = await client.submit(fields, signal);
      const messageId =
        answer.kind === "answered" ? messageIdOf(normalizeId(answer.messageId, idForms.submitted)) : undefined;
      return (
        outcomeOf(answer) ?? {
          kind: "sent",
          // Without an id, nothing can be reported.
          providerMessageId: messageId ?? idempotencyKey,
          segments,
          ...(wantsReceipt && messageId !== undefined ? { awaitsReceipt: true } : {}),
        }
      );
    },
    close: () => client.close(),
  };
}

/** Undefined: the SMSC accepted the message. */
function outcomeOf(answer: SubmitAnswer): SendResult | undefined {
  const handedOver = answer.mayBeSent && { mayBeSent: answer.mayBeSent };
  if (answer.kind === "unanswered") {
    const { reason, afterMs } = answer;
    return { kind: "retry", reason, provider: "fails", ...(afterMs === undefined ? {} : { afterMs }), ...handedOver };
  }
  const meaning = meaningOfStatus(answer.status);
  return answer.status === statuses.ok ? undefined : { ...resultOf(meaning, meaning.name), ...handedOver };
}

function referenceOf(idempotencyKey: string): number {
  return createHash("sha256").update(idempotencyKey).digest().readUInt8(0);
}
