import { useInfiniteQuery, useMutation } from "@connectrpc/connect-query";
import { Route } from "wouter";
import { type WebhookDelivery, WebhookDeliveryStatus, WebhookService } from "#gen/byond/v1/webhook_pb.ts";
import { eventTypeWord } from "../../api/event-types.ts";
import { firstPage } from "../../api/first-page.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { Id } from "../../components/code-block.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Facts } from "../../components/facts.tsx";
import { DialogActions, ModalDialog } from "../../components/modal-dialog.tsx";
import { notify } from "../../components/notify.tsx";
import { PageLink, useGoTo } from "../../components/page-link.tsx";
import { type BadgeTone, StatusBadge } from "../../components/status-badge.tsx";
import { Time } from "../../components/time.tsx";

/** A list with deliveries that wait or are being made is asked for again after this. */
const refreshMs = 3_000;

const statuses: Readonly<Partial<Record<WebhookDeliveryStatus, readonly [tone: BadgeTone, text: string]>>> = {
  [WebhookDeliveryStatus.PENDING]: ["info", "Pending"],
  [WebhookDeliveryStatus.SUCCEEDED]: ["good", "Succeeded"],
  [WebhookDeliveryStatus.FAILED]: ["bad", "Failed"],
  [WebhookDeliveryStatus.CANCELED]: ["neutral", "Canceled"],
};

function DeliveryStatus({ status }: { readonly status: WebhookDeliveryStatus }) {
  const [tone, text] = statuses[status] ?? (["neutral", "Unknown"] as const);
  return <StatusBadge tone={tone}>{text}</StatusBadge>;
}

/** "200", or why there was no answer. */
function answerOf({ responseStatus, error }: WebhookDelivery): string {
  return responseStatus === undefined ? (error ?? "–") : String(responseStatus);
}

const columns: readonly Column<WebhookDelivery>[] = [
  { title: "Event", cell: ({ eventType }) => <code>{eventTypeWord(eventType)}</code> },
  { title: "Status", cell: ({ status }) => <DeliveryStatus status={status} /> },
  { title: "Last answer", cell: answerOf },
  { title: "Attempts", cell: ({ attempts }) => attempts, align: "end" },
  { title: "Next attempt", cell: ({ nextAttemptAt }) => <Time at={nextAttemptAt} relative />, isSecondary: true },
  { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} relative />, align: "end" },
];

/** The deliveries to an endpoint, newest first. */
export function DeliveryList({ webhookId, isEnabled }: { readonly webhookId: string; readonly isEnabled: boolean }) {
  const list = useInfiniteQuery(
    WebhookService.method.listWebhookDeliveries,
    { id: webhookId, pageSize: 50, pageToken: firstPage },
    {
      pageParamKey: "pageToken",
      getNextPageParam: (last) => last.nextPageToken,
      refetchInterval: refreshMs,
    },
  );
  const deliveries = list.data?.pages.flatMap((page) => page.deliveries);
  const goTo = useGoTo();
  const close = () => goTo(`/webhooks/${webhookId}`);
  return (
    <>
      <h2 className="section-title">Deliveries</h2>
      <DataTable
        label="Deliveries"
        columns={columns}
        rows={deliveries}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/webhooks/${webhookId}/deliveries/${id}`}
        error={list.error}
        onRetry={() => void list.refetch()}
        onLoadMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        isLoadingMore={list.isFetchingNextPage}
        empty={
          <EmptyState icon="events" title="Nothing was sent yet">
            The next event of its types is sent at once. Deliveries are listed for 30 days.
          </EmptyState>
        }
      />
      <Route path="/webhooks/:webhook/deliveries/:id">
        {({ id }) => {
          const delivery = deliveries?.find((candidate) => candidate.id === id);
          return (
            delivery && (
              <DeliveryDrawer
                key={id}
                webhookId={webhookId}
                delivery={delivery}
                isEnabled={isEnabled}
                onClose={close}
                onRedelivered={(next) => {
                  void list.refetch();
                  goTo(`/webhooks/${webhookId}/deliveries/${next}`, { replace: true });
                }}
              />
            )
          );
        }}
      </Route>
    </>
  );
}

interface DeliveryDrawerProps {
  readonly webhookId: string;
  readonly delivery: WebhookDelivery;
  readonly isEnabled: boolean;
  readonly onClose: () => void;
  readonly onRedelivered: (deliveryId: string) => void;
}

function DeliveryDrawer({ webhookId, delivery, isEnabled, onClose, onRedelivered }: DeliveryDrawerProps) {
  const { id, eventId, eventType, status, attempts, nextAttemptAt, responseBody, error, createdAt } = delivery;
  const redeliver = useMutation(WebhookService.method.redeliverWebhook);
  const again = useSubmit(async () => {
    const { delivery: next } = await redeliver.mutateAsync({ id: webhookId, deliveryId: id });
    notify("Sent again, as a new delivery");
    onRedelivered(next?.id ?? id);
  });
  return (
    <ModalDialog isOpen onClose={onClose} title="Delivery" look="drawer">
      <div className="stack">
        <Facts
          facts={{
            Status: <DeliveryStatus status={status} />,
            Event: <PageLink to={`/events/${eventId}`}>{eventTypeWord(eventType)}</PageLink>,
            Attempts: attempts,
            "Last answer": answerOf(delivery),
            Created: <Time at={createdAt} />,
            "Next attempt": <Time at={nextAttemptAt} />,
            Delivery: <Id id={id} label="delivery id" />,
          }}
        />
        {error && delivery.responseStatus !== undefined && (
          <div>
            <h3 className="label">Why</h3>
            <p>{error}</p>
          </div>
        )}
        {responseBody && (
          <div>
            <h3 className="label">What it answered</h3>
            <pre className="wrapped">{responseBody}</pre>
          </div>
        )}
        <ErrorNotice error={again.error} />
        <DialogActions>
          <Button isPending={again.isPending} isDisabled={!isEnabled} onPress={() => void again.submit()}>
            Send again
          </Button>
        </DialogActions>
      </div>
    </ModalDialog>
  );
}
