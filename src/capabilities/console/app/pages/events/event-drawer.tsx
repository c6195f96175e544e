import { useQuery } from "@connectrpc/connect-query";
import { useQuery as useAnyQuery } from "@tanstack/react-query";
import { EventService } from "#gen/byond/v1/event_pb.ts";
import { eventTypeTone, eventTypeWord } from "../../api/event-types.ts";
import { fetchWithSession, readJson } from "../../api/fetch-with-session.ts";
import { useMode } from "../../api/mode.ts";
import { CodeBlock, Id } from "../../components/code-block.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Facts } from "../../components/facts.tsx";
import { ModalDialog } from "../../components/modal-dialog.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { Time } from "../../components/time.tsx";
import { objectOf } from "./event-object.ts";
import { guardEventFacts } from "./guard-event-facts.tsx";

/** One event: what it is about, and the JSON that webhooks and the REST API send. */
export function EventDrawer({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const { data, error, refetch } = useQuery(EventService.method.getEvent, { id });
  const event = data?.event;
  const object = event && objectOf(event);
  return (
    <ModalDialog isOpen onClose={onClose} title="Event" look="drawer">
      <div className="stack">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
        {event && object && (
          <>
            <Facts
              facts={{
                Type: <StatusBadge tone={eventTypeTone(event.type)}>{eventTypeWord(event.type)}</StatusBadge>,
                Time: <Time at={event.createdAt} />,
                Event: <Id id={event.id} label="event id" />,
                Object: object.path === undefined ? object.id : <PageLink to={object.path}>{object.about}</PageLink>,
                ...guardEventFacts(event),
              }}
            />
            <EventJson id={id} />
          </>
        )}
        {event === undefined && !error && <Skeleton lines={6} label="Loading event" />}
      </div>
    </ModalDialog>
  );
}

function EventJson({ id }: { readonly id: string }) {
  const mode = useMode();
  const { data, error } = useAnyQuery({
    queryKey: ["rest", "events", mode, id],
    queryFn: async ({ signal }) =>
      readJson<unknown>(await fetchWithSession(`/api/v1/events/${encodeURIComponent(id)}`, mode, signal)),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (data === undefined) {
    return error ? <ErrorNotice error={error} /> : <Skeleton lines={12} label="Loading JSON" />;
  }
  return <CodeBlock code={JSON.stringify(data, null, 2)} label="JSON of the event" />;
}
