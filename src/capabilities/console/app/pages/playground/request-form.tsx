import { isRequired } from "@byond/rest/field-rules";
import type { ReactNode } from "react";
import { toHouseError } from "../../api/house-error.ts";
import { HouseForm } from "../../components/fields.tsx";
import type { Draft, DraftMessage } from "./draft.ts";
import { FieldInput, isShown } from "./field-input.tsx";
import type { ApiDocs } from "./operation-docs.ts";
import { ruledOut } from "./operation-policy.ts";
import type { Operation } from "./operations.ts";
import styles from "./playground-page.module.css";

export interface RequestFormProps {
  readonly operation: Operation;
  readonly docs: ApiDocs;
  readonly draft: DraftMessage;
  readonly onChange: (draft: DraftMessage) => void;
  readonly error: unknown;
  readonly onSubmit: () => void;
  /** What is said with the call beside the message: who calls, an idempotency key. */
  readonly options: ReactNode;
  readonly actions: ReactNode;
}

/** So many optional fields are shown at once; more are folded. */
const mostUnfolded = 3;

/** The request of an operation as a form: what is required first. */
export function RequestForm({ operation, docs, draft, onChange, error, onSubmit, options, actions }: RequestFormProps) {
  const fields = operation.method.input.fields.filter(isShown);
  const needed = fields.filter(
    (field) => isRequired(field) || (field.fieldKind === "message" && isBody(operation, field.name)),
  );
  const others = fields.filter((field) => !needed.includes(field));
  const wrong = error === undefined ? [] : Object.keys(toHouseError(error).fields).map((path) => path.split(/[.[]/)[0]);
  const isUsed = others.some(({ name }) => isGiven(draft[name]) || wrong.includes(name));
  const inputs = (shown: typeof fields) =>
    shown.map((field) => (
      <FieldInput
        key={field.name}
        operation={operation}
        docs={docs}
        field={field}
        name={field.name}
        draft={draft[field.name]}
        onChange={(value) => onChange({ ...draft, [field.name]: value })}
        ruledOut={ruledOut(operation.method.name, draft)}
      />
    ));
  return (
    <HouseForm label={docs.title(operation)} error={error} onSubmit={onSubmit} actions={actions}>
      {fields.length === 0 && <p className="muted">The request has no fields.</p>}
      {inputs(needed)}
      {needed.length === 0 || others.length <= mostUnfolded ? (
        inputs(others)
      ) : (
        <details className={styles.folded} open={isUsed}>
          <summary>Optional fields ({others.length})</summary>
          <div className="form">{inputs(others)}</div>
        </details>
      )}
      {options}
    </HouseForm>
  );
}

function isBody({ route }: Operation, fieldName: string): boolean {
  return route.body.kind === "field" && route.body.field.name === fieldName;
}

function isGiven(draft: Draft | undefined): boolean {
  return draft !== undefined && draft !== "" && !(Array.isArray(draft) && draft.length === 0);
}
