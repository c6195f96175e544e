import { useInfiniteQuery } from "@connectrpc/connect-query";
import { useCallback, useEffect, useReducer } from "react";
import { type Event, EventService } from "#gen/byond/v1/event_pb.ts";
import type { EventType } from "#gen/byond/v1/event_type_pb.ts";
import { eventTypeTone, eventTypeWord } from "../../api/event-types.ts";
import { firstPage } from "../../api/first-page.ts";
import { type StreamState, useEventStream } from "../../api/use-event-stream.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { Time } from "../../components/time.tsx";
import { useFilters } from "../../components/use-filters.ts";
import { objectOf } from "./event-object.ts";
import { addNewEvents, maxNew, noNewEvents } from "./new-events.ts";

const columns: readonly Column<Event>[] = [
  {
    title: "Type",
    cell: ({ type }) => <StatusBadge tone={eventTypeTone(type)}>{eventTypeWord(type)}</StatusBadge>,
  },
  { title: "Object", cell: (event) => <code>{objectOf(event).id}</code>, isSecondary: true },
  { title: "About", cell: (event) => objectOf(event).about },
  { title: "Time", cell: ({ createdAt }) => <Time at={createdAt} relative />, align: "end" },
];

export interface EventListProps {
  readonly type: EventType | undefined;
  readonly subject: string;
  readonly isPaused: boolean;
  readonly onStateChange: (state: StreamState) => void;
}

/** The events of a filter, newest first, and above them those that happen while it is shown. */
export function EventList({ type, subject, isPaused, onStateChange }: EventListProps) {
  const list = useInfiniteQuery(
    EventService.method.listEvents,
    { pageSize: 50, pageToken: firstPage, ...(type !== undefined && { type }), ...(subject !== "" && { subject }) },
    // What happens later comes through the stream.
    { pageParamKey: "pageToken", getNextPageParam: (last) => last.nextPageToken, refetchOnWindowFocus: false },
  );
  const [{ events: fresh, sinceReading }, change] = useReducer(addNewEvents, noNewEvents);
  const [address] = useFilters(["type", "subject"]);
  const listed = list.data?.pages.flatMap(({ events }) => events);
  const { refetch } = list;
  const readAnew = useCallback(async () => {
    change({ name: "reading" });
    const { isSuccess } = await refetch();
    if (isSuccess) {
      change({ name: "read" });
    }
  }, [refetch]);
  const state = useEventStream({
    type,
    subject,
    after: listed && (listed[0]?.id ?? null),
    isPaused,
    onEvent: (event) => change({ name: "happened", event }),
    onGap: () => void readAnew(),
  });
  const isTooMany = fresh.length > maxNew && sinceReading === undefined;
  useEffect(() => {
    if (isTooMany) {
      void readAnew();
    }
  }, [isTooMany, readAnew]);
  useEffect(() => onStateChange(state), [state, onStateChange]);
  const query = new URLSearchParams(Object.entries(address).filter(([, value]) => value !== "")).toString();
  return (
    <DataTable
      label="Events"
      columns={columns}
      rows={listed && withoutRepeats([...fresh, ...listed])}
      rowKey={({ id }) => id}
      rowLink={({ id }) => `/events/${id}${query === "" ? "" : `?${query}`}`}
      error={list.error}
      onRetry={() => void readAnew()}
      onLoadMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
      isLoadingMore={list.isFetchingNextPage}
      empty={
        type === undefined && subject === "" ? (
          <EmptyState icon="events" title="Nothing has happened yet">
            Start a verification or create a key: its events appear here at once. They are kept for 30 days, unless the
            server is set up otherwise.
          </EmptyState>
        ) : (
          <EmptyState icon="events" title="No such events">
            Nothing of this kind has happened. It appears here as soon as it does.
          </EmptyState>
        )
      }
    />
  );
}

function withoutRepeats(events: readonly Event[]): readonly Event[] {
  return [...new Map(events.map((event) => [event.id, event])).values()];
}
