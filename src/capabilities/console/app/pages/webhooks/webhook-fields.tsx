import type { EventType } from "#gen/byond/v1/event_type_pb.ts";
import { eventTypes } from "../../api/event-types.ts";
import { CheckboxField, TextField } from "../../components/fields.tsx";
import styles from "./webhook-fields.module.css";

/** What a form of a webhook holds. `types` of null: all, also those that are added later. */
export interface WebhookValues {
  readonly url: string;
  readonly description: string;
  readonly types: readonly EventType[] | null;
}

export interface WebhookFieldsProps {
  readonly values: WebhookValues;
  readonly onChange: (values: WebhookValues) => void;
  /** What the names of the fields begin with in the request: `webhook.`. */
  readonly prefix?: string;
  /** An endpoint that has chosen types cannot go back to all of them. */
  readonly canTakeAll: boolean;
}

export function WebhookFields({ values, onChange, prefix = "", canTakeAll }: WebhookFieldsProps) {
  const { url, description, types } = values;
  const toggle = (type: EventType, isSelected: boolean) =>
    onChange({
      ...values,
      types: isSelected ? [...(types ?? []), type] : (types ?? []).filter((other) => other !== type),
    });
  return (
    <>
      <TextField
        label="URL"
        name={`${prefix}url`}
        type="url"
        isCode
        placeholder="https://example.com/webhooks/byond"
        description="An https address that the internet reaches. Redirections are not followed."
        value={url}
        onChange={(next) => onChange({ ...values, url: next })}
        autoFocus
      />
      <TextField
        label="Note"
        name={`${prefix}description`}
        value={description}
        onChange={(next) => onChange({ ...values, description: next })}
      />
      <fieldset className={styles.types}>
        <legend className="label">Events</legend>
        {canTakeAll && (
          <CheckboxField
            isSelected={types === null}
            onChange={(isSelected) => onChange({ ...values, types: isSelected ? null : [] })}
            description="Also those that are added later"
          >
            All types
          </CheckboxField>
        )}
        {types !== null && (
          <div className={styles.choices}>
            {eventTypes.map(({ type, word }) => (
              <CheckboxField
                key={type}
                isSelected={types.includes(type)}
                onChange={(isSelected) => toggle(type, isSelected)}
              >
                <code>{word}</code>
              </CheckboxField>
            ))}
          </div>
        )}
      </fieldset>
    </>
  );
}
