import { type ReactNode, useEffect } from "react";
import { focusPageIfLost } from "./focus-page.ts";
import { Icon } from "./icon.tsx";
import { PageLink } from "./page-link.tsx";

export interface PageHeaderProps {
  /** The page's only `h1`, and the title of the tab. */
  readonly title: string;
  readonly description?: ReactNode;
  /** Beside the title: an id with its copy button, a badge. */
  readonly aside?: ReactNode;
  /** Buttons. */
  readonly actions?: ReactNode;
  /** Where a page of one thing goes back to. */
  readonly back?: { readonly to: string; readonly label: string };
}

export function PageHeader({ title, description, aside, actions, back }: PageHeaderProps) {
  useEffect(() => {
    scrollTo(0, 0);
    focusPageIfLost();
  }, []);
  useEffect(() => {
    document.title = `${title} · Byond`;
  }, [title]);
  return (
    <header className="page-header">
      {back && (
        <PageLink to={back.to} className="page-back">
          <Icon name="back" size={16} />
          {back.label}
        </PageLink>
      )}
      <div className="page-header-row">
        <div className="page-header-text">
          <div className="page-title-row">
            <h1 className="page-title">{title}</h1>
            {aside}
          </div>
          {description && <p className="page-description">{description}</p>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </div>
    </header>
  );
}
