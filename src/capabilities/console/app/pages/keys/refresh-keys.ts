import { createConnectQueryKey } from "@connectrpc/connect-query";
import { ApiKeyService } from "#gen/byond/v1/api_key_pb.ts";
import { EventService } from "#gen/byond/v1/event_pb.ts";
import { queryClient } from "../../api/query-client.ts";

/** After a change of a key: everything that shows keys or what happened to them is loaded again. */
export async function refreshKeys(): Promise<void> {
  await Promise.all(
    [ApiKeyService, EventService].map((schema) =>
      queryClient.invalidateQueries({ queryKey: createConnectQueryKey({ schema, cardinality: undefined }) }),
    ),
  );
}
