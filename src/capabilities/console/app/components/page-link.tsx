import { type ReactNode, useCallback } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { modeOf } from "../api/mode.ts";

/** A path of the console with the mode that is shown now: `/keys` → `/keys?mode=test`. */
export function withMode(to: string, search: string): string {
  if (modeOf(search) === "live") {
    return to;
  }
  return `${to}${to.includes("?") ? "&" : "?"}mode=test`;
}

export interface PageLinkProps {
  /** A path below the console: `/keys`. */
  readonly to: string;
  readonly children: ReactNode;
  readonly className?: string | undefined;
  readonly onClick?: () => void;
  readonly "aria-current"?: "page" | undefined;
  readonly "aria-label"?: string | undefined;
}

/** A link to a page of the console that keeps the mode. */
export function PageLink({ to, children, ...rest }: PageLinkProps) {
  const search = useSearch();
  return (
    <Link href={withMode(to, search)} {...rest}>
      {children}
    </Link>
  );
}

/** Goes to a page of the console and keeps the mode. */
export function useGoTo(): (to: string, options?: { readonly replace?: boolean }) => void {
  const [, navigate] = useLocation();
  const search = useSearch();
  return useCallback((to, options) => navigate(withMode(to, search), options), [navigate, search]);
}
