import type { ReactNode } from "react";
import { Button } from "../../components/button.tsx";
import { type Draft, listDraft } from "./draft.ts";
import styles from "./playground-page.module.css";

export interface MessageListInputProps {
  readonly label: string;
  readonly description: ReactNode;
  readonly draft: Draft | undefined;
  readonly onChange: (draft: Draft) => void;
  /** The fields of the element at this place. */
  readonly element: (place: number, draft: Draft | undefined, onChange: (draft: Draft) => void) => ReactNode;
}

/** A list of messages, each with its fields. */
export function MessageListInput({ label, description, draft, onChange, element }: MessageListInputProps) {
  const items = listDraft(draft);
  return (
    <fieldset className={styles.nested}>
      <legend className="label">{label}</legend>
      {description && <span className="field-description">{description}</span>}
      {items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an element has nothing else that it could be told by
        <div key={index} className={styles.nested}>
          {element(index, item, (next) => onChange(items.map((other, place) => (place === index ? next : other))))}
          <div>
            <Button
              size="small"
              aria-label={`Remove ${label} ${index + 1}`}
              onPress={() => onChange(items.filter((_, place) => place !== index))}
            >
              Remove
            </Button>
          </div>
        </div>
      ))}
      <div>
        <Button size="small" icon="plus" aria-label={`Add to ${label}`} onPress={() => onChange([...items, {}])}>
          Add
        </Button>
      </div>
    </fieldset>
  );
}
