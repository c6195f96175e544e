import { useQuery } from "@connectrpc/connect-query";
import { useState } from "react";
import { type Webhook, WebhookService } from "#gen/byond/v1/webhook_pb.ts";
import { serverPath } from "../../api/server-address.ts";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { CreateWebhookDialog } from "./create-webhook-dialog.tsx";
import { WebhookStatus } from "./webhook-status.tsx";

const columns: readonly Column<Webhook>[] = [
  { title: "URL", cell: ({ url }) => <span className="break-anywhere">{url}</span> },
  { title: "Note", cell: ({ description }) => description || "–", isSecondary: true },
  { title: "Types", cell: ({ events }) => (events === undefined ? "All" : events.types.length) },
  { title: "Status", cell: (webhook) => <WebhookStatus webhook={webhook} /> },
  { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} relative />, align: "end" },
];

export function WebhookList() {
  const { data, error, refetch } = useQuery(WebhookService.method.listWebhooks, {});
  const [isCreating, setCreating] = useState(false);
  const create = (
    <Button tone="primary" icon="plus" onPress={() => setCreating(true)}>
      Create webhook
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Webhooks"
        description="Endpoints of yours that events are sent to, signed, and again for three days until they answer."
        actions={create}
      />
      <DataTable
        label="Webhooks"
        columns={columns}
        rows={data?.webhooks}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/webhooks/${id}`}
        error={error}
        onRetry={() => void refetch()}
        empty={
          <EmptyState icon="webhook" title="No webhooks yet" actions={create}>
            A webhook tells your server when a verification is approved, a message has failed or a key is revoked,
            instead of your server asking. <a href={`${serverPath}/docs`}>How deliveries are signed</a>
          </EmptyState>
        }
      />
      {isCreating && <CreateWebhookDialog onClose={() => setCreating(false)} />}
    </>
  );
}
