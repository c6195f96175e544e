import { createConnectQueryKey } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { EventService } from "#gen/byond/v1/event_pb.ts";
import { VerifyService } from "#gen/byond/v1/verify_pb.ts";
import { useEventStream } from "../../api/use-event-stream.ts";

/** Under a load of events, what is shown is read anew this often. */
const refreshMs = 1_000;

/** Reads what is shown of verifications anew when something happens to one, or to the given one. */
export function useLiveVerifications(verificationId = ""): void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const refresh = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      for (const schema of [VerifyService, EventService]) {
        void queries.invalidateQueries({ queryKey: createConnectQueryKey({ schema, cardinality: undefined }) });
      }
    }, refreshMs);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useEventStream({ subject: verificationId, after: null, onEvent: refresh, onGap: refresh });
}
