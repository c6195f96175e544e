import { CopyButton } from "../../components/copy-button.tsx";
import { Time } from "../../components/time.tsx";
import type { InboxMessage } from "./inbox-messages.ts";
import { MailHtml } from "./mail-html.tsx";
import styles from "./message-view.module.css";

/** A message as a mail client or a phone shows it, and its code to copy. */
export function MessageView({ message }: { readonly message: InboxMessage }) {
  const { recipient, code, text, html, created_at: at } = message;
  return (
    <div className="stack">
      <div className={styles.head}>
        <div>
          <div>
            To <bdi>{recipient}</bdi>
          </div>
          <div className="muted">
            <Time at={new Date(at)} />
          </div>
        </div>
        <CopyButton text={code} label="code">{`Copy ${code}`}</CopyButton>
      </div>
      {html === null ? (
        <div className={styles.phone}>
          <p className={styles.bubble} dir="auto">
            {text}
          </p>
        </div>
      ) : (
        <>
          <MailHtml html={html} />
          <details>
            <summary>As plain text</summary>
            <pre className="wrapped" dir="auto">
              {text}
            </pre>
          </details>
        </>
      )}
    </div>
  );
}
