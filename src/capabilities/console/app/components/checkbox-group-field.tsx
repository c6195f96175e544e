import { CheckboxGroup, FieldError, Label } from "react-aria-components";
import { CheckboxField, useProblem } from "./fields.tsx";

export interface CheckboxGroupFieldProps {
  readonly label: string;
  /** Of the schema: `scopes`. */
  readonly name?: string;
  readonly value: readonly string[];
  readonly onChange: (value: string[]) => void;
  readonly options: readonly (readonly [value: string, description: string])[];
}

/** Some of several words, each with what it means. */
export function CheckboxGroupField({ label, name, value, onChange, options }: CheckboxGroupFieldProps) {
  const problem = useProblem(name);
  return (
    <CheckboxGroup
      className="field"
      name={name}
      value={[...value]}
      onChange={onChange}
      isInvalid={problem !== undefined}
    >
      <Label className="label">{label}</Label>
      {options.map(([option, description]) => (
        <CheckboxField key={option} value={option} description={description}>
          {option}
        </CheckboxField>
      ))}
      <FieldError className="field-error">{problem}</FieldError>
    </CheckboxGroup>
  );
}
