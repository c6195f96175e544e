import { useQuery } from "@connectrpc/connect-query";
import type { ApiKey } from "#gen/byond/v1/api_key_pb.ts";
import { type Event, EventService } from "#gen/byond/v1/event_pb.ts";
import { EventType } from "#gen/byond/v1/event_type_pb.ts";
import { transports } from "../../api/transport.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Panel } from "../../components/panel.tsx";
import { Time } from "../../components/time.tsx";
import { modeNameOf } from "./key-texts.ts";

const words: Readonly<Partial<Record<EventType, string>>> = {
  [EventType.API_KEY_CREATED]: "Created",
  [EventType.API_KEY_UPDATED]: "Changed",
  [EventType.API_KEY_ROTATED]: "Rotated",
  [EventType.API_KEY_REVOKED]: "Revoked",
};

const columns: readonly Column<Event>[] = [
  { title: "What happened", cell: ({ type }) => words[type] ?? "Something else" },
  { title: "Prefix then", cell: ({ data }) => <code>{prefixOf(data)}</code> },
  { title: "When", cell: ({ createdAt }) => <Time at={createdAt} /> },
];

const refreshMs = 10_000;

/** The latest events of the key. */
export function KeyHistory({ apiKey: { id, mode } }: { readonly apiKey: ApiKey }) {
  const events = useQuery(
    EventService.method.listEvents,
    { subject: id, pageSize: 50 },
    { transport: transports[modeNameOf(mode)], refetchInterval: refreshMs },
  );
  return (
    <Panel title="History">
      <DataTable
        label="Events of the key"
        columns={columns}
        rows={events.data?.events}
        rowKey={(event) => event.id}
        rowLink={(event) => `/events/${event.id}`}
        error={events.error}
        onRetry={() => void events.refetch()}
        empty={
          <EmptyState icon="events" title="No events are kept of this key">
            The server deletes old events.
          </EmptyState>
        }
      />
    </Panel>
  );
}

function prefixOf(data: Event["data"]): string {
  return data?.object.case === "apiKey" ? data.object.value.keyPrefix : "";
}
