import { useState } from "react";
import { forgetPlaygroundKey, replacePlaygroundKey, usePlaygroundKey } from "../api/playground-key.ts";
import { Button } from "./button.tsx";
import { HouseForm, TextField } from "./fields.tsx";
import { ModalDialog } from "./modal-dialog.tsx";
import { StatusBadge } from "./status-badge.tsx";
import { Time } from "./time.tsx";

/** Which key is called with, and another one in its place. */
export function PlaygroundKeyPanel() {
  const current = usePlaygroundKey();
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="row">
      <span className="muted">
        {current === undefined ? (
          "Calls are made with a sandbox key of an hour, which is revoked when you leave."
        ) : current.made === undefined ? (
          <>
            Called with your key <code>{current.key.split(".")[0]}</code>
          </>
        ) : (
          <>
            Called with the sandbox key <code>{current.key.split(".")[0]}</code>, which expires{" "}
            <Time at={current.made.expiresAt} relative /> and is revoked when you leave
          </>
        )}
      </span>
      {current?.mode === "live" && <StatusBadge tone="warn">Live</StatusBadge>}
      <Button size="small" onPress={() => setOpen(true)}>
        Use another key
      </Button>
      {current?.made === undefined && current !== undefined && (
        <Button size="small" onPress={forgetPlaygroundKey}>
          Forget key
        </Button>
      )}
      <ModalDialog isOpen={isOpen} onClose={() => setOpen(false)} title="Use another key">
        <PasteKeyForm onClose={() => setOpen(false)} />
      </ModalDialog>
    </div>
  );
}

function PasteKeyForm({ onClose }: { readonly onClose: () => void }) {
  const [key, setKey] = useState("");
  const isKey = /^pk_(live|test)_\w+\.\w+$/.test(key.trim());
  const paste = () => {
    replacePlaygroundKey(key);
    onClose();
  };
  return (
    <HouseForm
      label="Use another key"
      error={undefined}
      onSubmit={() => isKey && paste()}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" isDisabled={!isKey}>
            Use key
          </Button>
        </>
      }
    >
      <TextField
        label="API key"
        value={key}
        onChange={setKey}
        isCode
        type="password"
        autoComplete="off"
        description="It stays in the memory of this tab. A live key sends real messages."
      />
    </HouseForm>
  );
}
