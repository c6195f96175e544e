import type { Mode } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import type { GuardReason } from "../../errors.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import type { Screening, Send } from "./define-send-step.ts";

/** A send that the guard refused. */
export interface RefusedSend {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly channel: ChannelName;
  readonly screening: Screening;
  readonly reason: GuardReason;
}

/** Judges sends. `app.ts` hands it to `verifyCapability`, together with its steps. */
export interface SendGuard {
  /** Judges a send by the settings that this server knows. Undefined: such sends are not judged. */
  screen(send: Send): Screening | undefined;
  /** Reads the settings of a workspace again. */
  refresh(database: Queryable, workspaceId: string): Promise<void>;
  /** Records a refused send: not in the transaction of the send, which is rolled back. */
  record(refused: RefusedSend): Promise<void>;
}
