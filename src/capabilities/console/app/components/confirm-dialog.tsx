import { type ReactNode, useState } from "react";
import { useSubmit } from "../api/use-submit.ts";
import { Button } from "./button.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { TextField } from "./fields.tsx";
import { DialogActions, ModalDialog } from "./modal-dialog.tsx";

export interface ConfirmDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** What will happen, and whether it can be undone. */
  readonly children: ReactNode;
  /** A verb: "Revoke key". */
  readonly confirmLabel: string;
  readonly tone?: "danger" | "primary";
  /** A text to type before it can be confirmed. */
  readonly typed?: string;
  /** The dialog closes when it resolves, and shows what it throws. */
  readonly onConfirm: () => Promise<unknown>;
}

export function ConfirmDialog({
  isOpen,
  onClose,
  title,
  children,
  confirmLabel,
  tone = "danger",
  typed,
  onConfirm,
}: ConfirmDialogProps) {
  const [text, setText] = useState("");
  const { submit, isPending, error, reset } = useSubmit(async () => {
    await onConfirm();
    close();
  });
  const close = () => {
    setText("");
    reset();
    onClose();
  };
  return (
    <ModalDialog isOpen={isOpen} onClose={close} title={title}>
      <div className="stack">
        <div>{children}</div>
        {typed !== undefined && <TextField label={`Type “${typed}” to confirm`} value={text} onChange={setText} />}
        <ErrorNotice error={error} />
        <DialogActions>
          <Button onPress={close}>Cancel</Button>
          <Button
            tone={tone}
            isPending={isPending}
            isDisabled={typed !== undefined && text !== typed}
            onPress={() => void submit()}
          >
            {confirmLabel}
          </Button>
        </DialogActions>
      </div>
    </ModalDialog>
  );
}
