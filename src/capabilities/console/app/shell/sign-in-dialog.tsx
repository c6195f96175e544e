import { endSession, useMe } from "../api/session.ts";
import { ModalDialog } from "../components/modal-dialog.tsx";
import { SignInForm } from "./sign-in-form.tsx";

/** The sign-in form over the page: what was typed there is kept, and the refused calls go on afterwards. */
export default function SignInDialog() {
  const me = useMe();
  return (
    <ModalDialog isOpen isDismissable={false} onClose={endSession} title="Your session has ended">
      <p className="dialog-lead">Sign in to go on. Nothing on the page behind is lost.</p>
      <SignInForm {...(me && { email: me.email })} onCancel={endSession} />
    </ModalDialog>
  );
}
