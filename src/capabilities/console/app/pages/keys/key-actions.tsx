import { useState } from "react";
import type { ApiKey } from "#gen/byond/v1/api_key_pb.ts";
import { ActionMenu, type MenuAction } from "../../components/action-menu.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { quoted } from "../../components/quoted.ts";
import { statusOf } from "./key-texts.ts";
import type { NewSecret } from "./new-secret-dialog.tsx";
import { RevokeKeyDialog } from "./revoke-key-dialog.tsx";
import { RotateKeyDialog } from "./rotate-key-dialog.tsx";

/** What can be done with a key of the list. */
export function KeyActions({
  apiKey,
  onSecret,
}: {
  readonly apiKey: ApiKey;
  readonly onSecret: (secret: NewSecret) => void;
}) {
  const goTo = useGoTo();
  const [dialog, setDialog] = useState<"rotate" | "revoke">();
  const close = () => setDialog(undefined);
  const status = statusOf(apiKey);
  const changes: readonly MenuAction[] = [
    { name: "Edit", run: () => goTo(`/keys/${apiKey.id}/edit`) },
    { name: "Rotate", run: () => setDialog("rotate") },
  ];
  const revoke: MenuAction = { name: "Revoke", tone: "danger", run: () => setDialog("revoke") };
  if (status === "revoked") {
    return null;
  }
  return (
    <>
      <ActionMenu
        label={`Actions for ${quoted(apiKey.name)}`}
        actions={status === "active" ? [...changes, revoke] : [revoke]}
      />
      {dialog === "rotate" && <RotateKeyDialog apiKey={apiKey} onClose={close} onRotated={onSecret} />}
      {dialog === "revoke" && <RevokeKeyDialog apiKey={apiKey} onClose={close} />}
    </>
  );
}
