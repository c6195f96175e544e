import { createContext, type FormEvent, type ReactNode, useContext, useEffect, useRef } from "react";
import {
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
  Button,
  Checkbox,
  FieldError,
  Form,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  Switch,
  Text,
  TextArea,
} from "react-aria-components";
import { toHouseError } from "../api/house-error.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { Icon } from "./icon.tsx";

export interface HouseFormProps {
  /** What the last submission threw: its `fields` are shown at the fields of these names, all else above the buttons. The first of those fields gets the focus. */
  readonly error: unknown;
  readonly onSubmit: () => void;
  readonly children: ReactNode;
  /** The buttons. */
  readonly actions: ReactNode;
  readonly label?: string;
}

/**
 * What is wrong, by the name of the field, until the form is sent again. React Aria's own `validationErrors` go when a field is left: the press of the button
 * that leaves it would then miss the button, which has moved.
 */
const FieldProblems = createContext<Readonly<Record<string, string>>>({});

/** What is wrong with a field of the form. */
export function useProblem(name: string | undefined): string | undefined {
  const problems = useContext(FieldProblems);
  return name === undefined ? undefined : problems[name];
}

/** A form whose errors are the server's. The `name` of a field is that of the schema: `ip_allowlist.ranges[0]`. */
export function HouseForm({ error, onSubmit, children, actions, label }: HouseFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const fields = error === undefined ? {} : toHouseError(error).fields;
  const hasField = (name: string | undefined) => name !== undefined && form.current?.elements.namedItem(name) != null;
  const isShown = (name: string) => hasField(name) || hasField(entryOf(name)?.list);
  useEffect(() => {
    if (error !== undefined) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [error]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Form ref={form} className="form" onSubmit={submit} validationBehavior="aria" aria-label={label}>
      <FieldProblems value={problemsByField(fields)}>{children}</FieldProblems>
      <ErrorNotice error={error} isFieldShown={isShown} />
      <div className="dialog-actions">{actions}</div>
    </Form>
  );
}

/** The list and the place of an entry: `ip_allowlist[2]`. */
function entryOf(name: string): { readonly list: string; readonly place: number } | undefined {
  const [, list, index] = /^(.+)\[(\d+)\]$/.exec(name) ?? [];
  return list === undefined ? undefined : { list, place: Number(index) + 1 };
}

/** The problems of each field. Those of a list's entries are also the list's: one field may be for all of them. */
function problemsByField(fields: Readonly<Record<string, string>>): Record<string, string> {
  const problems: Record<string, string> = {};
  const add = (name: string, problem: string) => {
    problems[name] = problems[name] === undefined ? problem : `${problems[name]} ${problem}`;
  };
  for (const [name, problem] of Object.entries(fields)) {
    add(name, problem);
    const entry = entryOf(name);
    if (entry !== undefined) {
      add(entry.list, `Entry ${entry.place} ${problem}.`);
    }
  }
  return problems;
}

interface FieldTexts {
  readonly label: string;
  readonly description?: ReactNode;
}

export interface TextFieldProps extends Omit<AriaTextFieldProps, "children" | "className" | "style">, FieldTexts {
  readonly placeholder?: string;
  /** Several lines. */
  readonly rows?: number;
  /** Ids, keys, addresses. */
  readonly isCode?: boolean;
}

export function TextField({ label, description, placeholder, rows, isCode = false, ...rest }: TextFieldProps) {
  const className = isCode ? "input input-code" : "input";
  const problem = useProblem(rest.name);
  return (
    <AriaTextField className="field" isInvalid={problem !== undefined} {...rest}>
      <Label className="label">{label}</Label>
      {rows === undefined ? (
        <Input className={className} placeholder={placeholder} />
      ) : (
        <TextArea className={className} rows={rows} placeholder={placeholder} />
      )}
      {description && (
        <Text slot="description" className="field-description">
          {description}
        </Text>
      )}
      <FieldError className="field-error">{problem}</FieldError>
    </AriaTextField>
  );
}

export interface SelectFieldProps<Value extends string> extends FieldTexts {
  readonly name?: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly options: readonly (readonly [value: Value, label: string])[];
  /** Options that are shown and cannot be chosen. */
  readonly disabled?: readonly Value[];
  /** Reads the label to assistants only. */
  readonly hasHiddenLabel?: boolean;
}

export function SelectField<Value extends string>({
  label,
  description,
  name,
  value,
  onChange,
  options,
  disabled = [],
  hasHiddenLabel = false,
}: SelectFieldProps<Value>) {
  // The list of React Aria takes no empty key.
  const keyOf = (option: Value) => `_${option}`;
  const problem = useProblem(name);
  return (
    <Select
      className="field"
      name={name}
      isInvalid={problem !== undefined}
      value={keyOf(value)}
      onChange={(key) => onChange(String(key).slice(1) as Value)}
      disabledKeys={disabled.map(keyOf)}
    >
      <Label className={hasHiddenLabel ? "visually-hidden" : "label"}>{label}</Label>
      <Button className="input select-button">
        <SelectValue />
        <Icon name="chevron" size={16} />
      </Button>
      {description && (
        <Text slot="description" className="field-description">
          {description}
        </Text>
      )}
      <FieldError className="field-error">{problem}</FieldError>
      <Popover className="popover">
        <ListBox className="list-box">
          {options.map(([option, text]) => (
            <ListBoxItem key={option} id={keyOf(option)} className="list-item" textValue={text}>
              {text}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

export interface ToggleProps {
  /** Which box of a `CheckboxGroupField` it is; the group then knows whether it is selected. */
  readonly value?: string;
  readonly isSelected?: boolean;
  readonly onChange?: (isSelected: boolean) => void;
  readonly children: ReactNode;
  readonly description?: ReactNode;
  readonly isDisabled?: boolean;
}

export function CheckboxField({ children, description, ...rest }: ToggleProps) {
  return (
    <Checkbox className="toggle" {...rest}>
      <span className="checkbox-box" aria-hidden="true">
        <Icon name="check" size={14} />
      </span>
      <span>
        {children}
        {description && <span className="field-description">{description}</span>}
      </span>
    </Checkbox>
  );
}

export function SwitchField({ children, description, ...rest }: ToggleProps) {
  return (
    <Switch className="toggle" {...rest}>
      <span className="switch-track" aria-hidden="true" />
      <span>
        {children}
        {description && <span className="field-description">{description}</span>}
      </span>
    </Switch>
  );
}
