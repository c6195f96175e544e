import { useMutation } from "@connectrpc/connect-query";
import { type WebhookDelivery, WebhookService } from "#gen/byond/v1/webhook_pb.ts";
import { eventTypeWord } from "../../api/event-types.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { Id } from "../../components/code-block.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Facts } from "../../components/facts.tsx";
import { DialogActions, ModalDialog } from "../../components/modal-dialog.tsx";
import { notify } from "../../components/notify.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Time } from "../../components/time.tsx";
import { answerOf, DeliveryStatus } from "./delivery-words.tsx";

interface DeliveryDrawerProps {
  readonly webhookId: string;
  readonly delivery: WebhookDelivery;
  readonly isEnabled: boolean;
  readonly onClose: () => void;
  readonly onRedelivered: (deliveryId: string) => Promise<void>;
}

/** One delivery: what was answered, and to send its event again. */
export function DeliveryDrawer({ webhookId, delivery, isEnabled, onClose, onRedelivered }: DeliveryDrawerProps) {
  const { id, eventId, eventType, status, attempts, nextAttemptAt, responseBody, error, createdAt } = delivery;
  const redeliver = useMutation(WebhookService.method.redeliverWebhook);
  const again = useSubmit(async () => {
    const { delivery: next } = await redeliver.mutateAsync({ id: webhookId, deliveryId: id });
    await onRedelivered(next?.id ?? id);
    notify("Sent again, as a new delivery");
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
        {!isEnabled && <p className="muted">Enable the webhook to send its deliveries again.</p>}
        <DialogActions>
          <Button isPending={again.isPending} isDisabled={!isEnabled} onPress={() => void again.submit()}>
            Send again
          </Button>
        </DialogActions>
      </div>
    </ModalDialog>
  );
}
