import { createConnectQueryKey } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { EventService } from "#gen/byond/v1/event_pb.ts";
import { VerifyService } from "#gen/byond/v1/verify_pb.ts";
import { useEventStream } from "../../api/use-event-stream.ts";

/** Under a load of events, what is shown is read anew this often. */
const refreshMs = 1_000;

/** Reads what is shown of verifications anew when something happens to one, or to the given one. */
export function useLiveVerifications(verificationId = ""): void {
  const queries = useQueryClient();
  const planned = useRef<Promise<void>>(undefined);
  const reading = useRef<Promise<unknown>>(undefined);
  const refresh = () => {
    // Not before the last reading is over: it would be given up, again and again under a load of events.
    planned.current ??= Promise.all([reading.current, pause(refreshMs)]).then(() => {
      planned.current = undefined;
      reading.current = Promise.all(
        [VerifyService, EventService].map((schema) =>
          queries.invalidateQueries({ queryKey: createConnectQueryKey({ schema, cardinality: undefined }) }),
        ),
      );
    });
  };
  useEventStream({ subject: verificationId, after: null, onEvent: refresh, onGap: refresh });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
