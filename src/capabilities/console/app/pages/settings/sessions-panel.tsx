import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { endSession } from "../../api/session.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Panel } from "../../components/panel.tsx";

export function SessionsPanel() {
  const [isOpen, setOpen] = useState(false);
  const logoutAll = useMutation(AuthService.method.logoutAll, inBothModes);
  return (
    <Panel
      title="Sessions"
      description="A session lasts at most 30 days. Sign out everywhere if a device was lost or somebody else was signed in."
      actions={<Button onPress={() => setOpen(true)}>Sign out everywhere</Button>}
    >
      <p className="muted">API keys are not sessions: they keep working until you revoke them.</p>
      <ConfirmDialog
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title="Sign out everywhere?"
        confirmLabel="Sign out everywhere"
        onConfirm={async () => {
          await logoutAll.mutateAsync({});
          endSession();
        }}
      >
        Every session of yours ends, this one too: no server accepts them any more. API keys keep working.
      </ConfirmDialog>
    </Panel>
  );
}
