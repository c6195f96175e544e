import type { ReactNode } from "react";
import type { Event } from "#gen/byond/v1/event_pb.ts";
import { Time } from "../../components/time.tsx";
import { countryText, reasonText } from "../guard/guard-words.ts";

/** What an event of the fraud guard says, for the drawer. Other events have their object alone. */
export function guardEventFacts({ data }: Event): Readonly<Record<string, ReactNode>> {
  const object = data?.object;
  switch (object?.case) {
    case "guardBlock": {
      const { started, approved, startsAt, endsAt } = object.value;
      return {
        Codes: `${approved} of ${started} approved`,
        Since: <Time at={startsAt} />,
        Until: <Time at={endsAt} />,
      };
    }
    case "guardRefusal": {
      const { reason, enforced, country, numberRange } = object.value;
      return {
        Reason: reasonText(reason),
        Code: enforced ? "refused" : "sent, only counted",
        Country: countryText(country),
        Range: numberRange,
      };
    }
    case "guessing": {
      const { verifications, approved, since, slowedUntil } = object.value;
      return {
        Codes: `${verifications} wrong at first, ${approved} approved`,
        Since: <Time at={since} />,
        "Slowed until": slowedUntil === undefined ? "not slowed" : <Time at={slowedUntil} />,
      };
    }
    default:
      return {};
  }
}
