import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { type ApiKey, ApiKeyService } from "#gen/byond/v1/api_key_pb.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { TextField } from "../../components/fields.tsx";
import { notify } from "../../components/notify.tsx";
import { quoted } from "../../components/quoted.ts";
import { Time } from "../../components/time.tsx";
import { refreshKeys } from "./refresh-keys.ts";

export interface RevokeKeyDialogProps {
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
  readonly onRevoked?: () => void;
}

/** Revokes a key. When the call has returned no server accepts the key any more, and the console says so. */
export function RevokeKeyDialog({ apiKey, onClose, onRevoked }: RevokeKeyDialogProps) {
  const [reason, setReason] = useState("");
  const revoke = useMutation(ApiKeyService.method.revokeApiKey);
  const { id, name, lastUsedAt } = apiKey;
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Revoke ${quoted(name)}?`}
      confirmLabel="Revoke key"
      onConfirm={async () => {
        await revoke.mutateAsync({ id, reason: reason === "" ? undefined : reason });
        notify(`${quoted(name)} is revoked: no server accepts it any more.`);
        await refreshKeys();
        onRevoked?.();
      }}
    >
      <div className="stack">
        <p>
          Requests with it fail from then on, those in progress too. It cannot be undone.{" "}
          {lastUsedAt === undefined ? (
            "The key was never used."
          ) : (
            <>
              The key was last used <Time at={lastUsedAt} relative />.
            </>
          )}
        </p>
        <TextField
          label="Reason"
          description="Optional. It is shown at the key."
          autoComplete="off"
          maxLength={200}
          value={reason}
          onChange={setReason}
        />
      </div>
    </ConfirmDialog>
  );
}
