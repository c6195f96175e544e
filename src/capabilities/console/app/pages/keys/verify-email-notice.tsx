import { useMe } from "../../api/session.ts";
import { ButtonLink } from "../../components/button.tsx";
import { Notice } from "../../components/notice.tsx";
import styles from "./keys-page.module.css";

/** Live keys of an account whose address is not verified are refused where the server sends real messages. */
export function VerifyEmailNotice() {
  const me = useMe();
  return me?.verified === false ? (
    <div className={styles.notice}>
      <Notice
        tone="warn"
        title="Your e-mail address is not verified"
        actions={<ButtonLink to="/settings/account">Verify it</ButtonLink>}
      >
        Where a server sends real messages, live keys work only after that. Test keys work now.
      </Notice>
    </div>
  ) : null;
}
