import { MailHtml } from "./mail-html.tsx";
import styles from "./message-picture.module.css";

export interface MessagePictureProps {
  readonly text: string;
  /** Of a mail. Null: it is a text message or a chat. */
  readonly html: string | null;
}

/** A message as a mail client or a phone shows it. */
export function MessagePicture({ text, html }: MessagePictureProps) {
  if (html === null) {
    return (
      <div className={styles.phone}>
        <p className={styles.bubble} dir="auto">
          {text}
        </p>
      </div>
    );
  }
  return (
    <>
      <MailHtml html={html} />
      <details>
        <summary>As plain text</summary>
        <pre className="wrapped" dir="auto">
          {text}
        </pre>
      </details>
    </>
  );
}
