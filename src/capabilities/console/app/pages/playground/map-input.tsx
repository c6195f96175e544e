import { type ReactNode, useId } from "react";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/fields.tsx";
import { type Draft, listDraft, messageDraft, textDraft } from "./draft.ts";
import styles from "./playground-page.module.css";

export interface MapInputProps {
  readonly label: string;
  readonly description: ReactNode;
  readonly draft: Draft | undefined;
  readonly onChange: (draft: Draft) => void;
}

/** The entries of a map of texts. */
export function MapInput({ label, description, draft, onChange }: MapInputProps) {
  const descriptionId = useId();
  const rows = listDraft(draft).map(messageDraft);
  const change = (index: number, part: "key" | "value") => (text: string) =>
    onChange(rows.map((row, other) => (other === index ? { ...row, [part]: text } : row)));
  return (
    <fieldset className="field" aria-describedby={descriptionId}>
      <legend className="label">{label}</legend>
      {rows.map((row, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row has nothing else that it could be told by
        <div key={index} className={styles.entry}>
          <TextField label={`Key ${index + 1}`} value={textDraft(row.key)} onChange={change(index, "key")} />
          <TextField label={`Value ${index + 1}`} value={textDraft(row.value)} onChange={change(index, "value")} />
          <Button
            tone="quiet"
            icon="close"
            aria-label={`Remove entry ${index + 1}`}
            onPress={() => onChange(rows.filter((_, other) => other !== index))}
          />
        </div>
      ))}
      <div>
        <Button size="small" icon="plus" onPress={() => onChange([...rows, { key: "", value: "" }])}>
          Add entry
        </Button>
      </div>
      <span className="field-description" id={descriptionId}>
        {description}
      </span>
    </fieldset>
  );
}
