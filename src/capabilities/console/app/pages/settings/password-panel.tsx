import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { beginSession, useMe } from "../../api/session.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { notify } from "../../components/notify.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Panel } from "../../components/panel.tsx";
import styles from "./settings-page.module.css";

/** Changes the password. The answer's cookie is a new session; all others have ended. */
export function PasswordPanel() {
  const me = useMe();
  const [currentPassword, setCurrentPassword] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const change = useMutation(AuthService.method.changePassword, inBothModes);
  const { submit, isPending, error } = useSubmit(async () => {
    const { userId } = await change.mutateAsync({ currentPassword, newPassword });
    setCurrentPassword("");
    setNewPassword("");
    notify("Password changed. All other sessions have ended.");
    await beginSession(userId);
  });
  return (
    <Panel title="Password" description="Changing it signs you out everywhere else. API keys keep working.">
      <div className={styles.form}>
        <HouseForm
          label="Change the password"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button type="submit" isPending={isPending}>
              Change password
            </Button>
          }
        >
          {/* For password managers, which otherwise do not know whose it is. */}
          <input type="email" autoComplete="username" value={me?.email ?? ""} readOnly hidden />
          <TextField
            label="Current password"
            name="current_password"
            type="password"
            autoComplete="current-password"
            description={<PageLink to="/reset-password">You have forgotten it?</PageLink>}
            value={currentPassword}
            onChange={setCurrentPassword}
          />
          <TextField
            label="New password"
            name="new_password"
            type="password"
            autoComplete="new-password"
            description="At least 10 characters. Common ones, repetitions and parts of your address are refused."
            value={newPassword}
            onChange={setNewPassword}
          />
        </HouseForm>
      </div>
    </Panel>
  );
}
