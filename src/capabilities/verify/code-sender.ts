import type { Mode } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import { createId } from "../../crypto/ids.ts";
import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { OutboxItem, OutboxSender } from "../../outbox/outbox.ts";
import type { SendOptions, SendResult } from "../../outbox/send-result.ts";
import type { ChannelName, CodeMessage } from "../channels/outgoing-message.ts";
import { deriveCode } from "./code.ts";

/** The outbox's name for messages that carry a code. */
export const codeMessageKind = "verification_code";

/** What a code's message needs beside what its row in the outbox says. The code itself is not in it. */
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
}

/** What the start of a verification needs of the delivery. */
export interface CodeDispatcher {
  /** The server that claims the rows it writes. */
  readonly serverId: string;
  readonly monotonicMs: Clock["monotonicMs"];
  /** Whose places a message takes; undefined if the channel has no provider. */
  laneFor(channel: ChannelName, mode: Mode): string | undefined;
  /** Whether messages leave the server: those of the sandbox, and those for the local inbox, do not. */
  hasProvider(channel: ChannelName, mode: Mode): boolean;
  /** Sends a message whose row was just committed. */
  dispatch(item: OutboxItem): void;
}

/** The part of an outbox row that holds the message, for a message of this workspace only. */
export function sealCodeMessage(
  keyring: Keyring,
  workspaceId: string,
  payload: CodePayload,
): { readonly id: string; readonly payloadSealed: Buffer } {
  const id = createId("dlv");
  return { id, payloadSealed: seal(keyring, "recipient-seal", `${workspaceId}/${id}`, JSON.stringify(payload)) };
}

interface Dependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly channels: { send(message: CodeMessage, options: SendOptions): Promise<SendResult> };
  /** For codes that reset the password of an account of this server. */
  readonly reset?: {
    /** Whether there is an account with this address: nothing is sent to others. */
    readonly isAwaited: (recipient: string) => Promise<boolean>;
    /** The address that people know the server by. */
    readonly url: () => string;
  };
}

const readStatus = statement<{ status: string }>("read_verification_status")(
  { workspaceId: text, id: text },
  (p) => `SELECT status FROM verification WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}`,
);

/** Sends codes: derives the code again at the moment it leaves. */
export class CodeSender implements OutboxSender {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
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
    const { secretId, codeLength, ...message } = payload;
    const secret = keyring.find(secretId);
    if (secret === undefined) {
      return { kind: "failed", reason: "the master secret that the code is derived from is gone", provider: "unknown" };
    }
    if (hasWaited && !(await this.#isPending(item))) {
      return { kind: "withdrawn", reason: "the verification ended before the message could be sent" };
    }
    if (reset !== undefined && !(await reset.isAwaited(payload.recipient))) {
      return { kind: "withdrawn", reason: "nobody waits for the code" };
    }
    const code = deriveCode(secret, {
      verificationId: item.subjectId,
      mode: payload.mode,
      length: codeLength,
    });
    const { workspaceId, createdAt, expiresAt } = item;
    const purpose = reset === undefined ? {} : { resetsPasswordAt: reset.url() };
    return channels.send(
      { ...message, ...purpose, workspaceId, code, createdAt, expiresAt },
      { idempotencyKey: item.id, signal },
    );
  }

  /** A verification may have ended while its message waited. */
  async #isPending({ workspaceId, subjectId: id }: OutboxItem): Promise<boolean> {
    const [row] = await this.#deps.database.run(readStatus, { workspaceId, id });
    return row?.status === "pending";
  }
}
