import { useLocation } from "wouter";
import { serverPath } from "../api/server-address.ts";
import { classNames } from "../components/class-names.ts";
import { Icon } from "../components/icon.tsx";
import { PageLink } from "../components/page-link.tsx";
import { pages } from "./pages.ts";

/** Links to all pages, and to the reference. */
export function Navigation({ onNavigate }: { readonly onNavigate?: () => void }) {
  const [location] = useLocation();
  const isCurrent = (path: string) => (path === "/" ? location === "/" : `${location}/`.startsWith(`${path}/`));
  return (
    <nav className="navigation" aria-label="Console">
      <ul>
        {pages.map(({ path, title, icon }) => (
          <li key={path}>
            <PageLink
              to={path}
              className={classNames("navigation-link", isCurrent(path) && "navigation-current")}
              aria-current={isCurrent(path) ? "page" : undefined}
              {...(onNavigate && { onClick: onNavigate })}
            >
              <Icon name={icon} />
              {title}
            </PageLink>
          </li>
        ))}
      </ul>
      <ul className="navigation-more">
        <li>
          <a className="navigation-link" href={`${serverPath}/docs`}>
            <Icon name="book" />
            Reference
          </a>
        </li>
      </ul>
    </nav>
  );
}
