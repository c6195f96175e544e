import { Dialog, Modal, ModalOverlay } from "react-aria-components";
import { Button } from "../components/button.tsx";
import AccountMenu from "./account-menu.tsx";
import { Brand } from "./brand.tsx";
import { Navigation } from "./navigation.tsx";

/** The navigation on phones. */
export default function MenuDrawer({ onClose }: { readonly onClose: () => void }) {
  return (
    <ModalOverlay className="overlay overlay-left" isOpen onOpenChange={(isOpen) => !isOpen && onClose()} isDismissable>
      <Modal className="menu-drawer">
        <Dialog className="menu-drawer-content" aria-label="Navigation">
          <div className="menu-drawer-head">
            <Brand />
            <Button tone="quiet" icon="close" aria-label="Close" onPress={onClose} />
          </div>
          <Navigation onNavigate={onClose} />
          <AccountMenu />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
