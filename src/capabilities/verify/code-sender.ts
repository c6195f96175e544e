import type { Mode } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import { createId } from "../../crypto/ids.ts";
import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import type { OutboxItem, OutboxSender } from "../../outbox/outbox.ts";
import type { SendOptions, SendResult } from "../../outbox/send-result.ts";
import { networkOf } from "../../text/phone-number.ts";
import type { Approval, ChannelName, CodeMessage } from "../channels/outgoing-message.ts";
import type { MessageTemplate } from "../channels/own-texts/message-template.ts";
import { deriveCode } from "./code.ts";
import { PendingVerifications } from "./pending-verifications.ts";
import type { Recipient } from "./recipient.ts";

/** The kind of outbox messages that carry the code of a workspace's verification. */
export const codeMessageKind = "verification_code";

/**
 * The same, of a verification with a fallback: what becomes of them moves its next step (`verify-0004.migration.ts`). A kind of their own, so
 * that others cost nothing more.
 */
export const codeMessageWithFallbackKind = "verification_code_with_fallback";

/** What a message with a code needs beside its outbox row. It does not contain the code. */
export interface CodePayload {
  readonly channel: ChannelName;
  readonly recipient: string;
  readonly brand: string;
  readonly codeLength: number;
  readonly mode: Mode;
  /** The master secret that the code is derived from. */
  readonly secretId: string;
  readonly locale?: string;
  readonly autofillDomain?: string;
  readonly codeInSubject?: true;
  readonly approval?: Approval;
  /** What the message is counted under: see `MessageUsage`. Absent: there is none. */
  readonly country?: string;
  readonly keyId?: string;
}

/** What a verification says of its code. */
interface CodeOfVerification extends Pick<CodePayload, "brand" | "codeLength" | "secretId"> {
  readonly locale: string | null;
  readonly autofillDomain: string | null;
  readonly codeInSubject: boolean;
  readonly approval: Approval | null;
}

/** The payload of a message with the code of a verification. */
export function codePayload(
  { brand, codeLength, secretId, locale, autofillDomain, codeInSubject, approval }: CodeOfVerification,
  {
    channel,
    mode,
    recipient,
    keyId,
  }: Pick<CodePayload, "channel" | "mode"> & { readonly recipient: Recipient; readonly keyId: string | undefined },
): CodePayload {
  const country = recipient.number && networkOf(recipient.number);
  return {
    channel,
    mode,
    recipient: recipient.address,
    brand,
    codeLength,
    secretId,
    ...(locale === null ? {} : { locale }),
    ...(autofillDomain === null ? {} : { autofillDomain }),
    ...(codeInSubject ? { codeInSubject } : {}),
    ...(approval === null ? {} : { approval }),
    ...(country === undefined ? {} : { country }),
    ...(keyId === undefined ? {} : { keyId }),
  };
}

/** What a start and a resend need of the delivery. */
export interface CodeDispatcher {
  /** This server. It claims the outbox rows that it writes. */
  readonly serverId: string;
  readonly monotonicMs: Clock["monotonicMs"];
  /** The lane of the outbox that a message takes. Undefined: the channel has no provider. */
  laneFor(channel: ChannelName, mode: Mode): string | undefined;
  /** Whether messages leave the server. Those of the sandbox and those for the local inbox do not. */
  hasProvider(channel: ChannelName, mode: Mode): boolean;
  /** Sends a message whose outbox row was just committed. */
  dispatch(item: OutboxItem): void;
}

/** Seals the payload of a message with a code. It can be unsealed only for this workspace and this message id. */
export function sealCodeMessage(
  keyring: Keyring,
  workspaceId: string,
  payload: CodePayload,
  id = createId("dlv"),
): { readonly id: string; readonly payloadSealed: Buffer } {
  return { id, payloadSealed: seal(keyring, "recipient-seal", `${workspaceId}/${id}`, JSON.stringify(payload)) };
}

/** A message, as its text is chosen. */
export interface CodeToSend {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly channel: ChannelName;
  readonly locale: string | undefined;
  readonly isForApproval: boolean;
}

/** The texts of workspaces' own. */
export interface MessageTemplates {
  /** The text of a message. Undefined: it has the server's. */
  find(message: CodeToSend): Promise<MessageTemplate | undefined>;
}

interface Dependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly channels: { send(message: CodeMessage, options: SendOptions): Promise<SendResult> };
  /** Undefined: all messages have the server's text. */
  readonly templates?: MessageTemplates;
  /** Present: the codes reset passwords of accounts of this server. */
  readonly reset?: {
    /** Whether an account has this address. Without one, nothing is sent. */
    readonly hasAccount: (email: string) => Promise<boolean>;
    /** The public base URL. */
    readonly url: () => string;
  };
}

/** Sends codes. It derives each code again when it sends it. */
export class CodeSender implements OutboxSender {
  readonly #deps: Dependencies;
  readonly #pending: PendingVerifications;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#pending = new PendingVerifications(deps.database);
  }

  async send(item: OutboxItem, signal: AbortSignal, hasWaited: boolean): Promise<SendResult> {
    const { keyring, channels, reset } = this.#deps;
    const opened = unseal(keyring, "recipient-seal", `${item.workspaceId}/${item.id}`, item.payloadSealed);
    if (opened === undefined) {
      return {
        kind: "failed",
        reason: "the master secret that the message was sealed with is gone",
        provider: "unknown",
      };
    }
    const payload: CodePayload = JSON.parse(opened);
    const { secretId, codeLength, country = "", keyId = "", ...message } = payload;
    const secret = keyring.find(secretId);
    if (secret === undefined) {
      return { kind: "failed", reason: "the master secret that the code is derived from is gone", provider: "unknown" };
    }
    if (hasWaited && !(await this.#pending.has({ workspaceId: item.workspaceId, id: item.subjectId }))) {
      return { kind: "withdrawn", reason: "the verification ended before the message could be sent" };
    }
    if (reset !== undefined && !(await reset.hasAccount(payload.recipient))) {
      return { kind: "withdrawn", reason: "no account has this address" };
    }
    const code = deriveCode(secret, {
      verificationId: item.subjectId,
      mode: payload.mode,
      length: codeLength,
      approval: payload.approval,
    });
    const { workspaceId, createdAt, expiresAt } = item;
    const template = await this.#templateOf(workspaceId, payload);
    const purpose = reset === undefined ? {} : { resetsPasswordAt: reset.url() };
    const result = await channels.send(
      { ...message, ...purpose, ...template, workspaceId, code, createdAt, expiresAt },
      { idempotencyKey: item.id, subjectId: item.subjectId, signal },
    );
    const { mode, channel } = message;
    return result.kind === "sent" || result.mayBeSent === true
      ? { ...result, usage: { mode, channel, country, keyId } }
      : result;
  }

  async #templateOf(workspaceId: string, { mode, channel, locale, approval }: CodePayload) {
    const isForApproval = approval !== undefined;
    const template = await this.#deps.templates?.find({ workspaceId, mode, channel, locale, isForApproval });
    return template === undefined ? {} : { template };
  }
}
