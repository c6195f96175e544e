import { useState } from "react";
import { SelectField, TextField } from "../../components/fields.tsx";
import { PageLink, useGoTo } from "../../components/page-link.tsx";
import { useIsNarrow } from "../../components/use-is-narrow.ts";
import { type ApiDocs, titledGroups } from "./operation-docs.ts";
import type { Operation } from "./operations.ts";
import styles from "./playground-page.module.css";

export interface OperationListProps {
  readonly docs: ApiDocs;
  readonly selected: Operation | undefined;
}

/** All operations: a list that can be searched; on phones a select. */
export function OperationList(props: OperationListProps) {
  return useIsNarrow() ? <OperationSelect {...props} /> : <SearchedList {...props} />;
}

function OperationSelect({ docs, selected }: OperationListProps) {
  const goTo = useGoTo();
  const options = titledGroups(docs).flatMap(({ title: group, operations }) =>
    operations.map(({ operation, title }) => [operation.method.name, `${group}: ${title}`] as const),
  );
  return (
    <SelectField
      label="Operation"
      value={selected?.method.name ?? ""}
      onChange={(name) => goTo(`/playground/${name}`)}
      options={options}
    />
  );
}

function SearchedList({ docs, selected }: OperationListProps) {
  const [text, setText] = useState("");
  const words = text.trim().toLowerCase();
  const groups = titledGroups(docs)
    .map(({ title, operations }) => ({
      title,
      operations: operations.filter((entry) => isFound(words, `${title} ${entry.title}`, entry.operation)),
    }))
    .filter(({ operations }) => operations.length > 0);
  return (
    <nav className={styles.list} aria-label="Operations" ref={showCurrent}>
      <TextField label="Find an operation" type="search" value={text} onChange={setText} />
      {groups.length === 0 && <p className="muted">No operation has these words.</p>}
      {groups.map(({ title, operations }) => (
        <section key={title} aria-label={title}>
          <h2 className={styles.group}>{title}</h2>
          <ul>
            {operations.map(({ operation, title: name }) => (
              <li key={operation.method.name}>
                <PageLink
                  to={`/playground/${operation.method.name}`}
                  className={styles.link}
                  aria-current={operation === selected ? "page" : undefined}
                >
                  {name}
                </PageLink>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

/** Scrolls the list to the operation that is shown when the list appears. */
function showCurrent(list: HTMLElement | null): void {
  const current = list?.querySelector<HTMLElement>("[aria-current]");
  if (list && current) {
    list.scrollTop = current.offsetTop - list.clientHeight / 2;
  }
}

/** By all words of the title, the name of the RPC, or the path. */
function isFound(words: string, title: string, { method, route }: Operation): boolean {
  const searched = `${title} ${method.name} ${route.httpMethod} ${route.template}`.toLowerCase();
  return words.split(/\s+/).every((word) => searched.includes(word));
}
