import { type ReactNode, useId } from "react";
import { CheckboxField, TextField } from "../../components/fields.tsx";
import { type Draft, listDraft, textDraft } from "./draft.ts";
import styles from "./playground-page.module.css";

export interface ListInputProps {
  readonly label: string;
  readonly name: string;
  readonly description: ReactNode;
  /** All values that an element can have. Undefined: any text. */
  readonly options: readonly (readonly [value: string, label: string])[] | undefined;
  readonly draft: Draft | undefined;
  readonly onChange: (draft: Draft) => void;
}

/** A list: boxes to check, or a text with an element on each line. */
export function ListInput({ label, name, description, options, draft, onChange }: ListInputProps) {
  const descriptionId = useId();
  const items = listDraft(draft).map(textDraft);
  if (options === undefined) {
    return (
      <TextField
        label={label}
        name={name}
        rows={3}
        isCode
        value={items.join("\n")}
        onChange={(text) => onChange(text === "" ? [] : text.split("\n").map((line) => line.trim()))}
        description={<>One on each line. {description}</>}
      />
    );
  }
  return (
    <fieldset className="field" aria-describedby={descriptionId}>
      <legend className="label">{label}</legend>
      <div className={styles.choices}>
        {options.map(([value, text]) => (
          <CheckboxField
            key={value}
            isSelected={items.includes(value)}
            onChange={(isChosen) => onChange(isChosen ? [...items, value] : items.filter((item) => item !== value))}
          >
            <code>{text}</code>
          </CheckboxField>
        ))}
      </div>
      <span className="field-description" id={descriptionId}>
        {description}
      </span>
    </fieldset>
  );
}
