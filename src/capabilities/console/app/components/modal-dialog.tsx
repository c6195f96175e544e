import { type ReactNode, useEffect } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { Button } from "./button.tsx";
import { focusPageIfLost } from "./focus-page.ts";

export interface ModalDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly children: ReactNode;
  /** `wide` for forms of two columns, `drawer` at the right edge. Default: `normal`. */
  readonly look?: "normal" | "wide" | "drawer";
  /** Default: Escape, the button and a click beside it close it; not the click if there is a form, whose input would be lost. False: only what is inside. */
  readonly isDismissable?: boolean;
}

/** A dialog over the page. The focus stays in it, and returns to where it was. */
export function ModalDialog({
  isOpen,
  onClose,
  title,
  children,
  look = "normal",
  isDismissable = true,
}: ModalDialogProps) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable={isDismissable}
      isKeyboardDismissDisabled={!isDismissable}
      shouldCloseOnInteractOutside={() => document.querySelector(".modal form") === null}
    >
      <Modal className={`modal modal-${look}`}>
        <Dialog className="dialog">
          <div className="dialog-head">
            <Heading slot="title" className="dialog-title">
              {title}
            </Heading>
            {isDismissable && <Button tone="quiet" size="small" icon="close" aria-label="Close" onPress={onClose} />}
          </div>
          <div className="dialog-body">{children}</div>
          <FocusAfterwards />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function FocusAfterwards() {
  useEffect(() => focusPageIfLost, []);
  return null;
}

/** The buttons at the end of a dialog or a form. */
export function DialogActions({ children }: { readonly children: ReactNode }) {
  return <div className="dialog-actions">{children}</div>;
}
