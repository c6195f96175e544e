import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { GuessingSource } from "../../../../gen/byond/v1/guessing_pb.ts";
import { Offer } from "../../../capability.ts";
import type { StoredEvent } from "../../../events/event-log.ts";
import type { EventObject, EventObjects } from "../../events/event-messages.ts";
import type { GuessSourceKind } from "./guess-source.ts";

/** The snapshot of an event, as `verify-0009.migration.ts` writes it. Times are milliseconds since 1970. */
interface Snapshot {
  readonly kind: GuessSourceKind;
  readonly value: string;
  readonly guessed: number;
  readonly approved: number;
  readonly since: number;
  readonly slowedUntil: number | null;
}

const sources = {
  api_key: GuessingSource.API_KEY,
  client_ip: GuessingSource.CLIENT_IP,
  end_user_ip: GuessingSource.END_USER_IP,
  device: GuessingSource.DEVICE,
} as const satisfies Record<GuessSourceKind, GuessingSource>;

/** The sources of events that guessed codes. */
export function offerGuessingEvents(): Offer<EventObjects> {
  const offer = new Offer<EventObjects>("guessing");
  offer.give({ kind: "guessing", read: async (events) => events.map(guessingOf) });
  return offer;
}

function guessingOf({ subjectId: id, snapshot }: StoredEvent): EventObject {
  const { kind, value, guessed, approved, since, slowedUntil }: Snapshot = JSON.parse(snapshot);
  return {
    case: "guessing",
    value: {
      id,
      source: sources[kind],
      value,
      verifications: guessed,
      approved,
      since: timestampFromMs(since),
      ...(slowedUntil === null ? {} : { slowedUntil: timestampFromMs(slowedUntil) }),
    },
  };
}
