import { createConnectQueryKey, useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type TestWebhookResponse, type Webhook, WebhookService } from "#gen/byond/v1/webhook_pb.ts";
import { eventTypeWord } from "../../api/event-types.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { ActionMenu } from "../../components/action-menu.tsx";
import { Button } from "../../components/button.tsx";
import { Id } from "../../components/code-block.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Facts } from "../../components/facts.tsx";
import { Notice } from "../../components/notice.tsx";
import { notify } from "../../components/notify.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { Panel } from "../../components/panel.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { Time } from "../../components/time.tsx";
import { DeliveryList } from "./delivery-list.tsx";
import { EditWebhookDialog } from "./edit-webhook-dialog.tsx";
import { RotateSecretDialog } from "./rotate-secret-dialog.tsx";
import styles from "./webhook-detail.module.css";
import { disabledReasonText, WebhookStatus } from "./webhook-status.tsx";

const refreshMs = 5_000;

const back = { to: "/webhooks", label: "Webhooks" };

/** One endpoint: what it gets, whether it works, and each delivery to it. */
export function WebhookDetail({ id }: { readonly id: string }) {
  // The server disables one that fails.
  const { data, error, refetch } = useQuery(WebhookService.method.getWebhook, { id }, { refetchInterval: refreshMs });
  const webhook = data?.webhook;
  if (webhook === undefined) {
    return (
      <>
        <PageHeader title="Webhook" back={back} />
        {error ? (
          <ErrorNotice error={error} onRetry={() => void refetch()} />
        ) : (
          <Skeleton lines={8} label="Loading webhook" />
        )}
      </>
    );
  }
  return <LoadedWebhook webhook={webhook} />;
}

type OpenDialog = "edit" | "rotate" | "delete" | undefined;

function LoadedWebhook({ webhook }: { readonly webhook: Webhook }) {
  const { id, url, events, description, enabled, disabledReason, disabledAt, apiVersion, createdAt } = webhook;
  const [open, setOpen] = useState<OpenDialog>();
  const [tested, setTested] = useState<TestWebhookResponse>();
  const queries = useQueryClient();
  const goTo = useGoTo();
  const refresh = () =>
    queries.invalidateQueries({ queryKey: createConnectQueryKey({ schema: WebhookService, cardinality: undefined }) });
  const update = useMutation(WebhookService.method.updateWebhook);
  const test = useMutation(WebhookService.method.testWebhook);
  const remove = useMutation(WebhookService.method.deleteWebhook);
  const testing = useSubmit(async () => {
    setTested(undefined);
    setTested(await test.mutateAsync({ id }));
  });
  const enabling = useSubmit(async () => {
    await update.mutateAsync({ id, webhook: { enabled: !enabled } });
    await refresh();
    notify(enabled ? "Webhook disabled" : "Webhook enabled");
  });
  const reason = disabledReasonText(disabledReason);
  return (
    <>
      <PageHeader
        title={url}
        back={back}
        aside={<WebhookStatus webhook={webhook} />}
        actions={
          <>
            <Button icon="play" isPending={testing.isPending} onPress={() => void testing.submit()}>
              Send test event
            </Button>
            <ActionMenu
              label="More actions"
              actions={[
                { name: "Edit", run: () => setOpen("edit") },
                { name: enabled ? "Disable" : "Enable", run: () => void enabling.submit() },
                { name: "Rotate secret", run: () => setOpen("rotate") },
                { name: "Delete", run: () => setOpen("delete"), tone: "danger" },
              ]}
            />
          </>
        }
      />
      <div role="status" className={styles.tested}>
        {tested && <TestResult result={tested} />}
      </div>
      <div className="stack">
        {reason !== undefined && (
          <Notice
            tone="warn"
            title="The server disabled this webhook"
            actions={
              <Button size="small" isPending={enabling.isPending} onPress={() => void enabling.submit()}>
                Enable
              </Button>
            }
          >
            {reason} Events since then are in the list of events, and are not sent later.
          </Notice>
        )}
        <ErrorNotice error={testing.error ?? enabling.error} />
        <Panel>
          <Facts
            facts={{
              Id: <Id id={id} label="webhook id" />,
              Note: description || "–",
              Events: events === undefined ? "All types" : events.types.map(eventTypeWord).join(", "),
              "API version": apiVersion,
              Created: <Time at={createdAt} />,
              ...(disabledAt && { Disabled: <Time at={disabledAt} /> }),
            }}
          />
        </Panel>
        <DeliveryList webhookId={id} isEnabled={enabled} />
      </div>
      {open === "edit" && <EditWebhookDialog webhook={webhook} onClose={() => setOpen(undefined)} />}
      {open === "rotate" && <RotateSecretDialog id={id} onClose={() => setOpen(undefined)} />}
      <ConfirmDialog
        isOpen={open === "delete"}
        onClose={() => setOpen(undefined)}
        title="Delete this webhook?"
        confirmLabel="Delete webhook"
        onConfirm={async () => {
          await remove.mutateAsync({ id });
          goTo("/webhooks");
          notify("Webhook deleted");
          await refresh();
        }}
      >
        Deliveries that wait for their next attempt are canceled. This cannot be undone.
      </ConfirmDialog>
    </>
  );
}

function TestResult({ result }: { readonly result: TestWebhookResponse }) {
  const { succeeded, responseStatus, responseBody, error, durationMs } = result;
  const title =
    responseStatus === undefined
      ? "The endpoint did not answer"
      : `The endpoint answered with status ${responseStatus}`;
  return (
    <Notice tone={succeeded ? "good" : "warn"} title={`${title}, after ${durationMs} ms`}>
      {error}
      {responseBody && <pre className="wrapped">{responseBody}</pre>}
    </Notice>
  );
}
