import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { GuardReason } from "../../errors.ts";
import type { StoredEvent } from "../../events/event-log.ts";
import { channelEnums } from "../channels/channel-proto.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import type { EventObject, EventObjects } from "../events/event-messages.ts";
import { reasonEnums } from "./guard-proto.ts";

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
}

/** The refusals of events. */
export const refusalEvents: EventObjects = {
  kind: "guard_refusal",
  read: async (events) => events.map(refusalOf),
};

/** The blocks of events. */
export const blockEvents: EventObjects = {
  kind: "guard_block",
  read: async (events) => events.map(blockOf),
};

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

function blockOf({ subjectId: id, snapshot }: StoredEvent): EventObject {
  const { startsAt, endsAt, ...block }: BlockSnapshot = JSON.parse(snapshot);
  return {
    case: "guardBlock",
    value: { id, ...block, startsAt: timestampFromMs(startsAt), endsAt: timestampFromMs(endsAt) },
  };
}
