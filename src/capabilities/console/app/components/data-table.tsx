import { type ReactNode, useEffect, useRef } from "react";
import { Button } from "./button.tsx";
import { classNames } from "./class-names.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { PageLink } from "./page-link.tsx";
import { Skeleton } from "./skeleton.tsx";
import { useIsNarrow } from "./use-is-narrow.ts";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  readonly align?: "end";
  /** Left out on phones. */
  readonly isSecondary?: boolean;
}

export interface DataTableProps<Row> {
  /** What it lists: "API keys". */
  readonly label: string;
  /** The first one names the row, and is its link. */
  readonly columns: readonly Column<Row>[];
  /** Undefined while they are loaded. */
  readonly rows: readonly Row[] | undefined;
  readonly rowKey: (row: Row) => string;
  /** The page of a row. */
  readonly rowLink?: (row: Row) => string;
  /** At the end of a row: an `ActionMenu`. */
  readonly rowActions?: (row: Row) => ReactNode;
  /** Shown in place of a table without rows. */
  readonly empty: ReactNode;
  readonly error?: unknown;
  readonly onRetry?: () => void;
  /** Loads the next page; undefined if there is none. */
  readonly onLoadMore?: (() => void) | undefined;
  readonly isLoadingMore?: boolean;
}

/** A table, and on phones a list of cards. The arrow keys go from row to row. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { rows, empty, error, onRetry, label, onLoadMore, isLoadingMore = false } = props;
  const isNarrow = useIsNarrow();
  const keptFocus = useKeptFocus(rows);
  if (rows === undefined) {
    return error ? (
      <ErrorNotice error={error} {...(onRetry && { onRetry })} />
    ) : (
      <div className="table-frame table-loading">
        <Skeleton lines={6} label={`Loading ${label}`} />
      </div>
    );
  }
  if (rows.length === 0) {
    return (
      <div {...keptFocus} className="data-table table-frame">
        {empty}
      </div>
    );
  }
  return (
    <div {...keptFocus} className="data-table">
      <ErrorNotice error={error} {...(onRetry && { onRetry })} />
      {isNarrow ? <Cards {...props} rows={rows} /> : <Table {...props} rows={rows} />}
      {onLoadMore && (
        <div className="table-more">
          <Button isPending={isLoadingMore} onPress={onLoadMore}>
            Load more
          </Button>
        </div>
      )}
    </div>
  );
}

/** A row that is gone takes the focus with it, and so does a dialog that was opened from it. The table has the focus then. */
function useKeptFocus(rows: unknown) {
  const frame = useRef<HTMLDivElement>(null);
  const hasFocus = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows are what the focus is lost with
  useEffect(() => {
    if (hasFocus.current && document.activeElement === document.body) {
      frame.current?.focus();
    }
  }, [rows]);
  return {
    ref: frame,
    tabIndex: -1,
    onFocus: () => {
      hasFocus.current = true;
    },
    onBlur: () => {
      hasFocus.current = false;
    },
  };
}

type LoadedProps<Row> = DataTableProps<Row> & { readonly rows: readonly Row[] };

function Table<Row>({ label, columns, rows, rowKey, rowLink, rowActions }: LoadedProps<Row>) {
  return (
    // A table without links is scrolled by keyboard as a whole.
    <div className="table-frame" {...(!rowLink && { role: "region", tabIndex: 0, "aria-label": label })}>
      <table className="table" aria-label={label} onKeyDown={moveBetweenRows}>
        <thead>
          <tr>
            {columns.map(({ title, align }) => (
              <th key={title} scope="col" className={classNames(align === "end" && "cell-end")}>
                {title}
              </th>
            ))}
            {rowActions && (
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} className={classNames(rowLink && "row-linked")}>
              {columns.map(({ title, cell, align }, index) => (
                <td key={title} className={classNames(align === "end" && "cell-end")}>
                  <LinkedCell to={index === 0 ? rowLink?.(row) : undefined}>{cell(row)}</LinkedCell>
                </td>
              ))}
              {rowActions && <td className="cell-actions">{rowActions(row)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function LinkedCell({ to, children }: { readonly to: string | undefined; readonly children: ReactNode }) {
  return to === undefined ? (
    children
  ) : (
    <PageLink to={to} className="row-link">
      {children}
    </PageLink>
  );
}

function Cards<Row>({ label, columns, rows, rowKey, rowLink, rowActions }: LoadedProps<Row>) {
  const [first, ...others] = columns.filter(({ isSecondary }) => isSecondary !== true);
  return (
    <ul className="cards" aria-label={label}>
      {rows.map((row) => (
        <li key={rowKey(row)} className={classNames("card", rowLink && "row-linked")}>
          <div className="card-head">
            <LinkedCell to={rowLink?.(row)}>{first?.cell(row)}</LinkedCell>
            {rowActions && <span className="cell-actions">{rowActions(row)}</span>}
          </div>
          <dl className="card-facts">
            {others.map(({ title, cell }) => (
              <div key={title}>
                <dt>{title}</dt>
                <dd>{cell(row)}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}

function moveBetweenRows(event: React.KeyboardEvent<HTMLTableElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.target instanceof HTMLElement) || !event.target.matches(".row-link")) {
    return;
  }
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>(".row-link")];
  links[links.indexOf(event.target) + step]?.focus();
  event.preventDefault();
}
