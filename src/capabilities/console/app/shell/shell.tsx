import { lazy, Suspense, useEffect, useState } from "react";
import { Route, Switch, useLocation } from "wouter";
import { useSessionState } from "../api/session.ts";
import { Button } from "../components/button.tsx";
import { Icon } from "../components/icon.tsx";
import { Notifications } from "../components/notify.tsx";
import { PageLink } from "../components/page-link.tsx";
import { useIsNarrow } from "../components/use-is-narrow.ts";
import { Brand } from "./brand.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { FixedCodeBar } from "./fixed-code-bar.tsx";
import { ModeSwitch, TestModeBar } from "./mode-switch.tsx";
import { Navigation } from "./navigation.tsx";
import { NotFoundPage } from "./not-found-page.tsx";
import { OfflineNotice } from "./offline-notice.tsx";
import { PageLoading } from "./page-loading.tsx";
import { pages } from "./pages.ts";

// What needs more of React Aria than a button is loaded after the page.
const AccountMenu = lazy(() => import("./account-menu.tsx"));
const MenuDrawer = lazy(() => import("./menu-drawer.tsx"));
const SearchDialog = lazy(() => import("./search-dialog.tsx"));
const SignInDialog = lazy(() => import("./sign-in-dialog.tsx"));

/** Everything around a page: navigation, mode, search and account. */
export function Shell() {
  const [path] = useLocation();
  const state = useSessionState();
  const isNarrow = useIsNarrow();
  const [isSearching, setSearching] = useState(false);
  const [isMenuOpen, setMenuOpen] = useState(false);
  useSearchKeys(() => setSearching(true));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes when a page is gone to
  useEffect(() => setMenuOpen(false), [path]);
  const searchButton = (
    <button type="button" className="search-button" onClick={() => setSearching(true)}>
      <Icon name="search" size={16} />
      <span>Search</span>
      <kbd>K</kbd>
    </button>
  );
  return (
    <div className="shell">
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      {isNarrow ? (
        <header className="top-bar">
          <Button tone="quiet" icon="menu" aria-label="Navigation" onPress={() => setMenuOpen(true)} />
          <PageLink to="/" className="brand-link">
            <Brand />
          </PageLink>
          <ModeSwitch />
          <Button tone="quiet" icon="search" aria-label="Search" onPress={() => setSearching(true)} />
        </header>
      ) : (
        <div className="side-bar">
          <div className="side-bar-head">
            <PageLink to="/" className="brand-link">
              <Brand />
            </PageLink>
            <ModeSwitch />
          </div>
          {searchButton}
          <Navigation />
          <ErrorBoundary isBesidePage>
            <Suspense fallback={<div className="account-button" />}>
              <AccountMenu />
            </Suspense>
          </ErrorBoundary>
        </div>
      )}
      <div className="main-column">
        <TestModeBar />
        <FixedCodeBar />
        <OfflineNotice />
        <main id="content" className="content" tabIndex={-1}>
          <ErrorBoundary resetKey={path}>
            <Suspense fallback={<PageLoading />}>
              <Switch>
                {pages.map(({ route, component }) => (
                  <Route key={route} path={route} component={component} />
                ))}
                <Route component={NotFoundPage} />
              </Switch>
            </Suspense>
          </ErrorBoundary>
        </main>
      </div>
      <Notifications />
      <ErrorBoundary isBesidePage>
        <Suspense fallback={null}>
          {isMenuOpen && <MenuDrawer onClose={() => setMenuOpen(false)} />}
          {isSearching && <SearchDialog onClose={() => setSearching(false)} />}
        </Suspense>
      </ErrorBoundary>
      <ErrorBoundary isBesidePage>
        <Suspense fallback={null}>{state === "expired" && <SignInDialog />}</Suspense>
      </ErrorBoundary>
    </div>
  );
}

/** Opens the search by `/`, `k`, and Ctrl or ⌘ with `k`; not while somebody types. */
function useSearchKeys(open: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isTyping =
        event.target instanceof Element &&
        event.target.closest(
          "input, textarea, select, [contenteditable], [role=dialog], [role=menu], [role=listbox]",
        ) !== null;
      const key = event.key.toLowerCase();
      const isShortcut =
        (key === "k" && (event.ctrlKey || event.metaKey)) ||
        (!isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && (key === "k" || key === "/"));
      if (isShortcut) {
        event.preventDefault();
        open();
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });
}
