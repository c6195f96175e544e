import { createConnectQueryKey, useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Webhook, WebhookService } from "#gen/byond/v1/webhook_pb.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm } from "../../components/fields.tsx";
import { ModalDialog } from "../../components/modal-dialog.tsx";
import { notify } from "../../components/notify.tsx";
import { WebhookFields, type WebhookValues } from "./webhook-fields.tsx";

/** Changes the URL, the note and the types of an endpoint. */
export function EditWebhookDialog({ webhook, onClose }: { readonly webhook: Webhook; readonly onClose: () => void }) {
  const [values, setValues] = useState<WebhookValues>({
    url: webhook.url,
    description: webhook.description ?? "",
    types: webhook.events?.types ?? null,
  });
  const queries = useQueryClient();
  const update = useMutation(WebhookService.method.updateWebhook);
  const { submit, isPending, error } = useSubmit(async () => {
    const { url, description, types } = values;
    const changes = { url, description, ...(types !== null && { events: { types: [...types] } }) };
    await update.mutateAsync({ id: webhook.id, webhook: changes });
    await queries.invalidateQueries({
      queryKey: createConnectQueryKey({ schema: WebhookService, cardinality: undefined }),
    });
    notify("Webhook changed");
    onClose();
  });
  return (
    <ModalDialog isOpen onClose={onClose} title="Edit webhook" look="wide">
      <HouseForm
        label="Edit webhook"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <>
            <Button onPress={onClose}>Cancel</Button>
            <Button type="submit" tone="primary" isPending={isPending}>
              Save changes
            </Button>
          </>
        }
      >
        <WebhookFields
          values={values}
          onChange={setValues}
          prefix="webhook."
          canTakeAll={webhook.events === undefined}
        />
      </HouseForm>
    </ModalDialog>
  );
}
