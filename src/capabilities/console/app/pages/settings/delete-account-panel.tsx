import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { endSession } from "../../api/session.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { TextField } from "../../components/fields.tsx";
import { Panel } from "../../components/panel.tsx";
import styles from "./settings-page.module.css";

export function DeleteAccountPanel({ email }: { readonly email: string }) {
  const [isOpen, setOpen] = useState(false);
  const [password, setPassword] = useState("");
  const remove = useMutation(AuthService.method.deleteAccount, inBothModes);
  const close = () => {
    setOpen(false);
    setPassword("");
  };
  return (
    <Panel
      title="Delete account"
      description="The account and its workspace end for good, with all keys, verifications, events and webhooks."
      actions={<Button onPress={() => setOpen(true)}>Delete account</Button>}
    >
      <ConfirmDialog
        isOpen={isOpen}
        onClose={close}
        title="Delete your account?"
        confirmLabel="Delete account"
        typed={email}
        onConfirm={async () => {
          await remove.mutateAsync({ password });
          endSession();
        }}
      >
        <div className="stack">
          <ul className={styles.list}>
            <li>At once, no server accepts the workspace’s keys and sessions any more. It cannot be undone.</li>
            <li>Ten minutes later the server begins to erase keys, verifications, recipients and messages.</li>
            <li>
              What stays: rate limits of network addresses for a day, ids of revoked keys, and what is in the
              administrator’s logs and backups. Messages that were sent cannot be called back.
            </li>
          </ul>
          <TextField
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={setPassword}
          />
        </div>
      </ConfirmDialog>
    </Panel>
  );
}
