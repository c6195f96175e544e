import { createConnectQueryKey, useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type CreateWebhookResponse, WebhookService } from "#gen/byond/v1/webhook_pb.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm } from "../../components/fields.tsx";
import { DialogActions, ModalDialog } from "../../components/modal-dialog.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { SecretOnce } from "../../components/secret-once.tsx";
import { WebhookFields, type WebhookValues } from "./webhook-fields.tsx";

const nothing: WebhookValues = { url: "", description: "", types: null };

/** Creates an endpoint, shows its secret, and leads to its page. */
export function CreateWebhookDialog({ onClose }: { readonly onClose: () => void }) {
  const [values, setValues] = useState(nothing);
  const [created, setCreated] = useState<CreateWebhookResponse>();
  const queries = useQueryClient();
  const goTo = useGoTo();
  const create = useMutation(WebhookService.method.createWebhook);
  const { submit, isPending, error } = useSubmit(async () => {
    const { url, description, types } = values;
    const webhook = await create.mutateAsync({
      url,
      ...(description !== "" && { description }),
      ...(types !== null && { events: { types: [...types] } }),
    });
    setCreated(webhook);
    await queries.invalidateQueries({
      queryKey: createConnectQueryKey({ schema: WebhookService, cardinality: undefined }),
    });
  });
  if (created !== undefined) {
    return (
      <ModalDialog isOpen onClose={onClose} title="Webhook created" isDismissable={false}>
        <SecretOnce secret={created.secret} label="signing secret" variable="BYOND_WEBHOOK_SECRET">
          <DialogActions>
            <Button tone="primary" onPress={() => goTo(`/webhooks/${created.id}`)}>
              I have copied it
            </Button>
          </DialogActions>
        </SecretOnce>
      </ModalDialog>
    );
  }
  return (
    <ModalDialog isOpen onClose={onClose} title="Create webhook" look="wide">
      <HouseForm
        label="Create webhook"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <>
            <Button onPress={onClose}>Cancel</Button>
            <Button type="submit" tone="primary" isPending={isPending}>
              Create webhook
            </Button>
          </>
        }
      >
        <WebhookFields values={values} onChange={setValues} canTakeAll />
      </HouseForm>
    </ModalDialog>
  );
}
