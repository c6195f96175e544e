import { useState } from "react";
import { useRoute } from "wouter";
import { NotFoundPage } from "../../shell/not-found-page.tsx";
import { KeyList } from "./key-list.tsx";
import { KeyPage } from "./key-page.tsx";
import { type NewSecret, NewSecretDialog } from "./new-secret-dialog.tsx";

/** The keys of the workspace: `/keys`, a new one at `/keys/new`, and one of them at `/keys/:id`, changed at `/keys/:id/edit`. */
export default function KeysPage() {
  const [isList] = useRoute("/keys");
  const [isNew] = useRoute("/keys/new");
  const [isKey, key] = useRoute("/keys/:id");
  const [isEdit, edited] = useRoute("/keys/:id/edit");
  // Here, so that no way from one of the addresses to another loses a secret that nobody has copied.
  const [secret, setSecret] = useState<NewSecret>();
  const id = isEdit ? edited.id : isKey ? key.id : undefined;
  return (
    <>
      {isList || isNew ? (
        <KeyList isCreating={isNew} onSecret={setSecret} />
      ) : id !== undefined ? (
        <KeyPage key={id} id={id} isEditing={isEdit} onSecret={setSecret} />
      ) : (
        <NotFoundPage />
      )}
      {secret && <NewSecretDialog secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}
