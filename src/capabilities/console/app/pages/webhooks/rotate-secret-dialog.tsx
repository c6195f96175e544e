import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { type RotateWebhookSecretResponse, WebhookService } from "#gen/byond/v1/webhook_pb.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, SelectField } from "../../components/fields.tsx";
import { DialogActions, ModalDialog } from "../../components/modal-dialog.tsx";
import { SecretOnce } from "../../components/secret-once.tsx";
import { Time } from "../../components/time.tsx";

const graces = [
  ["0", "Not at all"],
  ["3600", "For an hour"],
  ["86400", "For a day"],
] as const;

/** Gives an endpoint a new secret, and shows it. */
export function RotateSecretDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const [grace, setGrace] = useState<(typeof graces)[number][0]>("86400");
  const [rotated, setRotated] = useState<RotateWebhookSecretResponse>();
  const rotate = useMutation(WebhookService.method.rotateWebhookSecret);
  const { submit, isPending, error } = useSubmit(async () =>
    setRotated(await rotate.mutateAsync({ id, graceSeconds: Number(grace) })),
  );
  if (rotated !== undefined) {
    return (
      <ModalDialog isOpen onClose={onClose} title="New signing secret" isDismissable={false}>
        <SecretOnce secret={rotated.secret} label="signing secret" variable="BYOND_WEBHOOK_SECRET">
          {rotated.previousSecretExpiresAt && (
            <p>
              The earlier secret signs too, until <Time at={rotated.previousSecretExpiresAt} />.
            </p>
          )}
          <DialogActions>
            <Button tone="primary" onPress={onClose}>
              I have copied it
            </Button>
          </DialogActions>
        </SecretOnce>
      </ModalDialog>
    );
  }
  return (
    <ModalDialog isOpen onClose={onClose} title="Rotate secret">
      <HouseForm
        label="Rotate secret"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <>
            <Button onPress={onClose}>Cancel</Button>
            <Button type="submit" tone="primary" isPending={isPending}>
              Rotate secret
            </Button>
          </>
        }
      >
        <SelectField
          label="The earlier secret keeps signing"
          name="grace_seconds"
          description="Deliveries are signed with both, so that none is refused while you replace it."
          value={grace}
          onChange={setGrace}
          options={graces}
        />
      </HouseForm>
    </ModalDialog>
  );
}
