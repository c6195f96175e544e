import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { type ApiKey, ApiKeyService, Mode } from "#gen/byond/v1/api_key_pb.ts";
import { type ModeName, useMode } from "../../api/mode.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, SelectField } from "../../components/fields.tsx";
import { ModalDialog } from "../../components/modal-dialog.tsx";
import { notify } from "../../components/notify.tsx";
import { useFilters } from "../../components/use-filters.ts";
import { changesOf, createRequestOf, draftOf, emptyDraft } from "./key-draft.ts";
import { KeyFields } from "./key-fields.tsx";
import type { NewSecret } from "./new-secret-dialog.tsx";
import { refreshKeys } from "./refresh-keys.ts";

interface CreateKeyDrawerProps {
  readonly onClose: () => void;
  readonly onCreated: (secret: NewSecret) => void;
}

export function CreateKeyDrawer({ onClose, onCreated }: CreateKeyDrawerProps) {
  const mode = useMode();
  const [, setFilters] = useFilters(["mode"]);
  const [draft, setDraft] = useState(emptyDraft);
  const create = useMutation(ApiKeyService.method.createApiKey);
  const { submit, isPending, error } = useSubmit(async () => {
    const created = await create.mutateAsync({
      ...createRequestOf(draft),
      mode: mode === "test" ? Mode.TEST : Mode.LIVE,
    });
    onCreated(created);
    await refreshKeys();
  });
  return (
    <ModalDialog isOpen look="drawer" onClose={onClose} title="Create a key">
      <HouseForm
        label="Create a key"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <>
            <Button onPress={onClose}>Cancel</Button>
            <Button type="submit" tone="primary" isPending={isPending}>
              Create key
            </Button>
          </>
        }
      >
        <KeyFields draft={draft} onChange={setDraft}>
          <SelectField<ModeName>
            label="Mode"
            name="mode"
            value={mode}
            onChange={(chosen) => setFilters({ mode: chosen === "test" ? "test" : "" })}
            options={[
              ["live", "Live: codes are really sent"],
              ["test", "Test: nothing is sent, and every code is all zeros"],
            ]}
          />
        </KeyFields>
      </HouseForm>
    </ModalDialog>
  );
}

export function EditKeyDrawer({ apiKey, onClose }: { readonly apiKey: ApiKey; readonly onClose: () => void }) {
  // What the key was when the form was opened: an answer that arrives meanwhile changes nothing that was typed.
  const [before] = useState(apiKey);
  const [draft, setDraft] = useState(() => draftOf(before));
  const update = useMutation(ApiKeyService.method.updateApiKey);
  const { submit, isPending, error } = useSubmit(async () => {
    const changes = changesOf(draft, before);
    if (changes !== undefined) {
      await update.mutateAsync({ id: before.id, apiKey: changes });
      notify("Key changed. Every server judges by it from now on.");
      await refreshKeys();
    }
    onClose();
  });
  return (
    <ModalDialog isOpen look="drawer" onClose={onClose} title="Edit key">
      <HouseForm
        label="Edit key"
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
        <KeyFields draft={draft} onChange={setDraft} before={draftOf(before)} />
      </HouseForm>
    </ModalDialog>
  );
}
