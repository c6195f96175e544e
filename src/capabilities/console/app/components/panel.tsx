import { type ReactNode, useId } from "react";

/** A titled section of a page with a border. */
export function Panel({
  title,
  description,
  actions,
  children,
}: {
  readonly title?: string;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  const titleId = useId();
  return (
    <section className="panel" aria-labelledby={title === undefined ? undefined : titleId}>
      {title !== undefined && (
        <div className="panel-head">
          <div>
            <h2 className="panel-title" id={titleId}>
              {title}
            </h2>
            {description && <p className="panel-description">{description}</p>}
          </div>
          {actions}
        </div>
      )}
      <div className="panel-body">{children}</div>
    </section>
  );
}
