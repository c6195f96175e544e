import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { isRequired } from "@byond/rest/field-rules";
import { jsonEnumName } from "@byond/rest/json/json-style";
import { SelectField, TextField } from "../../components/fields.tsx";
import { restStyle } from "./api-call.ts";
import { DocText } from "./doc-text.tsx";
import { type Draft, messageDraft, textDraft, wrappedList } from "./draft.ts";
import { ListInput } from "./list-input.tsx";
import { MapInput } from "./map-input.tsx";
import { MessageListInput } from "./message-list-input.tsx";
import type { ApiDocs } from "./operation-docs.ts";
import type { Operation } from "./operations.ts";
import styles from "./playground-page.module.css";

export interface FieldInputProps {
  readonly operation: Operation;
  readonly docs: ApiDocs;
  readonly field: DescField;
  /** How the server names the field in its violations. */
  readonly name: string;
  readonly draft: Draft | undefined;
  readonly onChange: (draft: Draft) => void;
  /** Values of enums that the rest of the request rules out, with the reason. */
  readonly ruledOut: Readonly<Record<string, string>>;
}

/** Whether the form has a place for the field: the mask of a change is by default the fields that are given. */
export function isShown(field: DescField): boolean {
  return field.message?.typeName !== "google.protobuf.FieldMask";
}

/** The input for a field of a request, by its type. */
export function FieldInput(props: FieldInputProps) {
  const { operation, docs, field, name, draft, onChange } = props;
  const { description, example, choices } = docs.field(operation, field);
  const texts = {
    label: isRequired(field) ? `${field.name} (required)` : field.name,
    description: description && <DocText text={description} />,
    name,
  };
  const list = field.fieldKind === "list" ? field : field.message && wrappedList(field.message);
  if (field.fieldKind === "map") {
    return <MapInput {...texts} draft={draft} onChange={onChange} />;
  }
  if (list?.message) {
    const { message } = list;
    return (
      <MessageListInput
        {...texts}
        draft={draft}
        onChange={onChange}
        element={(place, item, onItem) => (
          <MessageInput
            {...props}
            message={message}
            legend={`${field.name} ${place + 1}`}
            prefix={`${name}[${place}].`}
            draft={item}
            onChange={onItem}
          />
        )}
      />
    );
  }
  if (list !== undefined) {
    const options =
      list.enum === undefined ? choices?.map((choice) => [choice, choice] as const) : optionsOf(list.enum);
    return <ListInput {...texts} options={options} draft={draft} onChange={onChange} />;
  }
  const value = textDraft(draft);
  if (field.fieldKind === "message") {
    return field.message.typeName === "google.protobuf.Timestamp" ? (
      <TextField
        {...texts}
        type="datetime-local"
        value={toLocalTime(value)}
        onChange={(local) => onChange(toTimestamp(local))}
      />
    ) : (
      <MessageInput
        {...props}
        message={field.message}
        legend={field.name}
        prefix={isBody(operation, field) ? "" : `${name}.`}
      />
    );
  }
  if (field.enum !== undefined) {
    const { ruledOut } = props;
    const disabled = field.enum.values.map((each) => each.name).filter((each) => Object.hasOwn(ruledOut, each));
    return (
      <SelectField
        {...texts}
        {...(disabled.length > 0 && {
          description: (
            <>
              {texts.description} {disabled.map((each) => ruledOut[each]).join(" ")}
            </>
          ),
        })}
        value={value}
        onChange={onChange}
        options={[notGiven, ...optionsOf(field.enum)]}
        disabled={disabled}
      />
    );
  }
  if (field.scalar === ScalarType.BOOL) {
    return <SelectField {...texts} value={value} onChange={onChange} options={[notGiven, ...booleans]} />;
  }
  const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
  return (
    <TextField
      {...texts}
      value={value}
      onChange={onChange}
      inputMode={isText ? "text" : "numeric"}
      autoComplete="off"
      {...((typeof example === "string" || typeof example === "number") && { placeholder: String(example) })}
    />
  );
}

interface MessageInputProps extends Omit<FieldInputProps, "field" | "name"> {
  readonly message: DescMessage;
  readonly legend: string;
  /** What the names of its fields begin with: `fallback[0].`. */
  readonly prefix: string;
}

/** The fields of a nested message. */
function MessageInput({ message, legend, prefix, draft, onChange, ...rest }: MessageInputProps) {
  const values = messageDraft(draft);
  return (
    <fieldset className={styles.nested}>
      <legend className="label">{legend}</legend>
      {message.fields.filter(isShown).map((inner) => (
        <FieldInput
          {...rest}
          key={inner.name}
          field={inner}
          name={`${prefix}${inner.name}`}
          draft={values[inner.name]}
          onChange={(next) => onChange({ ...values, [inner.name]: next })}
        />
      ))}
    </fieldset>
  );
}

function isBody({ route }: Operation, field: DescField): boolean {
  return route.body.kind === "field" && route.body.field === field;
}

const notGiven = ["", "Not given"] as const;
const booleans = [
  ["true", "true"],
  ["false", "false"],
] as const;

/** The values of an enum that can be sent, with the words that REST has for them. */
function optionsOf(type: DescEnum): (readonly [value: string, label: string])[] {
  return type.values.filter(({ number }) => number !== 0).map((value) => [value.name, jsonEnumName(value, restStyle)]);
}

/** A moment in the form of an input, in the time zone of the viewer. */
function toLocalTime(timestamp: string): string {
  const date = new Date(timestamp);
  if (timestamp === "" || Number.isNaN(date.getTime())) {
    return "";
  }
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function toTimestamp(local: string): string {
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace(/\.\d+Z$/, "Z");
}
