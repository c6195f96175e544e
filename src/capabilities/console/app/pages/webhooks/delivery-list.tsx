import { useInfiniteQuery } from "@connectrpc/connect-query";
import { useEffect } from "react";
import { useRoute } from "wouter";
import { type WebhookDelivery, WebhookService } from "#gen/byond/v1/webhook_pb.ts";
import { eventTypeWord } from "../../api/event-types.ts";
import { firstPage } from "../../api/first-page.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ModalDialog } from "../../components/modal-dialog.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { Time } from "../../components/time.tsx";
import { DeliveryDrawer } from "./delivery-drawer.tsx";
import { answerOf, DeliveryStatus } from "./delivery-words.tsx";

/** After this the list is read again, once for each page of it. */
const refreshMs = 3_000;
/** A delivery that the address names is looked for on so many pages. */
const maxPages = 20;

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
      refetchInterval: ({ state }) => refreshMs * (state.data?.pages.length ?? 1),
    },
  );
  const deliveries = list.data?.pages.flatMap((page) => page.deliveries);
  const goTo = useGoTo();
  const [isOpened, opened] = useRoute("/webhooks/:webhook/deliveries/:id");
  const delivery = deliveries?.find(({ id }) => id === opened?.id);
  const isSought = isOpened && delivery === undefined && list.hasNextPage && (list.data?.pages.length ?? 0) < maxPages;
  const { fetchNextPage, isFetching } = list;
  useEffect(() => {
    if (isSought && !isFetching) {
      void fetchNextPage();
    }
  }, [isSought, isFetching, fetchNextPage]);
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
      {isOpened && delivery === undefined && deliveries && (
        <ModalDialog isOpen onClose={close} title="Delivery" look="drawer">
          {isSought ? (
            <Skeleton lines={6} label="Loading delivery" />
          ) : (
            <p>This delivery is not in the list. Deliveries are listed for 30 days.</p>
          )}
        </ModalDialog>
      )}
      {delivery && (
        <DeliveryDrawer
          key={delivery.id}
          webhookId={webhookId}
          delivery={delivery}
          isEnabled={isEnabled}
          onClose={close}
          onRedelivered={async (next) => {
            await list.refetch();
            goTo(`/webhooks/${webhookId}/deliveries/${next}`, { replace: true });
          }}
        />
      )}
    </>
  );
}
