import { CopyButton } from "../../components/copy-button.tsx";
import { MessagePicture } from "../../components/message-picture.tsx";
import { Time } from "../../components/time.tsx";
import type { InboxMessage } from "./inbox-messages.ts";
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
      <MessagePicture text={text} html={html} />
    </div>
  );
}
