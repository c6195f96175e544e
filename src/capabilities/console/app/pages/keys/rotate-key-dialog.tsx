import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { type ApiKey, ApiKeyService } from "#gen/byond/v1/api_key_pb.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, SelectField, TextField } from "../../components/fields.tsx";
import { ModalDialog } from "../../components/modal-dialog.tsx";
import { quoted } from "../../components/quoted.ts";
import type { NewSecret } from "./new-secret-dialog.tsx";
import { refreshKeys } from "./refresh-keys.ts";

type Grace = "0" | "300" | "3600" | "86400" | "other";

interface RotateKeyDialogProps {
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
  readonly onRotated: (secret: NewSecret) => void;
}

/** Gives a key a new secret. The old one works as long as is chosen. */
export function RotateKeyDialog({ apiKey, onClose, onRotated }: RotateKeyDialogProps) {
  const [grace, setGrace] = useState<Grace>("3600");
  const [seconds, setSeconds] = useState("");
  const rotate = useMutation(ApiKeyService.method.rotateApiKey);
  const { submit, isPending, error } = useSubmit(async () => {
    const graceSeconds = Number(grace === "other" ? seconds : grace);
    const rotated = await rotate.mutateAsync({ id: apiKey.id, graceSeconds });
    onClose();
    onRotated(rotated);
    await refreshKeys();
  });
  return (
    <ModalDialog isOpen onClose={onClose} title={`Rotate ${quoted(apiKey.name)}`}>
      <p className="dialog-lead">
        The key gets a new secret and a new prefix. Its name, scopes and restrictions stay. The old secret works until
        you have rolled out the new one.
      </p>
      <HouseForm
        label="Rotate key"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <>
            <Button onPress={onClose}>Cancel</Button>
            <Button type="submit" tone="primary" isPending={isPending}>
              Rotate key
            </Button>
          </>
        }
      >
        <SelectField<Grace>
          label="The old secret stops"
          value={grace}
          onChange={setGrace}
          options={[
            ["0", "At once, and requests in progress with it end"],
            ["300", "In 5 minutes"],
            ["3600", "In an hour"],
            ["86400", "In a day"],
            ["other", "In some other time"],
          ]}
        />
        {grace === "other" && (
          <TextField
            label="Seconds"
            name="grace_seconds"
            inputMode="numeric"
            autoComplete="off"
            maxLength={6}
            description="0 to 86,400."
            value={seconds}
            onChange={(text) => setSeconds(text.replace(/\D/g, ""))}
          />
        )}
      </HouseForm>
    </ModalDialog>
  );
}
