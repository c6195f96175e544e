import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { GuardReason } from "../../errors.ts";
import type { StoredEvent } from "../../events/event-log.ts";
import { channelEnums } from "../channels/channel-proto.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import type { EventObject, EventObjects } from "../events/event-messages.ts";
import { reasonEnums } from "./guard-proto.ts";
import type { GuardMode } from "./guard-settings.ts";

/** The snapshot of a refusal, as `insertRefusalEvent` writes it. */
interface RefusalSnapshot {
  readonly enforced: boolean;
  readonly reason: GuardReason;
  readonly channel: ChannelName;
  readonly country: string | null;
  readonly numberRange: string;
  readonly verificationId: string | null;
}

/** The snapshot of a block, as `blockSnapshot` writes it. */
interface BlockSnapshot {
  readonly numberRange: string;
  readonly started: number;
  readonly approved: number;
  readonly startsAt: number;
  readonly endsAt: number;
  /** The guard's mode of the workspace at that moment. Null: that of the server. */
  readonly mode: GuardMode | null;
}

/** The refusals of events. */
export const refusalEvents: EventObjects = {
  kind: "guard_refusal",
  read: async (events) => events.map(refusalOf),
};

/** The blocks of events, given the server's mode. */
export const blockEvents = (serverMode: GuardMode): EventObjects => ({
  kind: "guard_block",
  read: async (events) => events.map((event) => blockOf(serverMode, event)),
});

function refusalOf({ subjectId: id, snapshot }: StoredEvent): EventObject {
  const { enforced, reason, channel, country, numberRange, verificationId }: RefusalSnapshot = JSON.parse(snapshot);
  return {
    case: "guardRefusal",
    value: {
      id,
      enforced,
      reason: reasonEnums[reason],
      channel: channelEnums[channel],
      numberRange,
      ...(country === null ? {} : { country }),
      ...(verificationId === null ? {} : { verificationId }),
    },
  };
}

function blockOf(serverMode: GuardMode, { subjectId: id, snapshot }: StoredEvent): EventObject {
  const { startsAt, endsAt, mode, ...block }: BlockSnapshot = JSON.parse(snapshot);
  const enforced = (mode ?? serverMode) === "enforce";
  return {
    case: "guardBlock",
    value: { id, ...block, enforced, startsAt: timestampFromMs(startsAt), endsAt: timestampFromMs(endsAt) },
  };
}
