import { useQuery } from "@connectrpc/connect-query";
import { type Event, EventService } from "#gen/byond/v1/event_pb.ts";
import { EventType } from "#gen/byond/v1/event_type_pb.ts";
import { eventTypeTone, eventTypeWord } from "../../api/event-types.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { Time } from "../../components/time.tsx";
import styles from "./timeline.module.css";

const sentences: Readonly<Partial<Record<EventType, string>>> = {
  [EventType.VERIFICATION_STARTED]: "The verification was started.",
  [EventType.VERIFICATION_DELIVERED]: "A message with the code arrived, as far as its channel tells.",
  [EventType.VERIFICATION_DELIVERY_FAILED]: "A message with the code will not arrive.",
  [EventType.VERIFICATION_APPROVED]: "The code matched. The recipient is verified.",
  [EventType.VERIFICATION_LOCKED]: "Too many wrong codes.",
  [EventType.VERIFICATION_EXPIRED]: "The code expired before it was entered.",
  [EventType.VERIFICATION_CANCELED]: "The verification was ended by a call.",
};

/** What happened to a verification, oldest first. Events of verifications that are older than the retention of events are gone. */
export function Timeline({ verificationId }: { readonly verificationId: string }) {
  const { data, error, refetch } = useQuery(EventService.method.listEvents, { subject: verificationId, pageSize: 100 });
  return (
    <>
      <h2 className="section-title">Timeline</h2>
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {data === undefined && !error && <Skeleton lines={3} label="Loading timeline" />}
      {data?.events.length === 0 && <p className="muted">Its events are older than the server keeps them.</p>}
      {data && data.events.length > 0 && (
        <ol className={styles.timeline}>
          {data.events.toReversed().map((event) => (
            <TimelineEntry key={event.id} event={event} />
          ))}
        </ol>
      )}
    </>
  );
}

function TimelineEntry({ event: { id, type, createdAt } }: { readonly event: Event }) {
  return (
    <li className={styles.entry}>
      <PageLink to={`/events/${id}`}>
        <StatusBadge tone={eventTypeTone(type)}>{eventTypeWord(type)}</StatusBadge>
      </PageLink>
      <span className={styles.sentence}>{sentences[type]}</span>
      <span className="muted">
        <Time at={createdAt} />
      </span>
    </li>
  );
}
