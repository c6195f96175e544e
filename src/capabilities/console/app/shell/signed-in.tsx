import { useEffect, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { findSession, useSessionState } from "../api/session.ts";
import { ErrorNotice } from "../components/error-notice.tsx";
import { withMode } from "../components/page-link.tsx";
import { PageLoading } from "./page-loading.tsx";
import { Shell } from "./shell.tsx";

/** Shows the console to somebody who is signed in, and leads all others to the sign-in page and back. */
export function SignedIn() {
  const state = useSessionState();
  const [path, navigate] = useLocation();
  const search = useSearch();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (state === "unknown") {
      findSession().catch(setError);
    }
  }, [state]);
  useEffect(() => {
    if (state === "signed-out") {
      const here = search === "" ? path : `${path}?${search}`;
      const to = here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`;
      navigate(withMode(to, search), { replace: true });
    }
  }, [state, path, search, navigate]);
  if (error !== undefined && state === "unknown") {
    return (
      <main className="plain-page stack">
        <h1 className="page-title">The console cannot be shown</h1>
        <ErrorNotice error={error} onRetry={() => location.reload()} />
      </main>
    );
  }
  return state === "signed-in" || state === "expired" ? <Shell /> : <PageLoading />;
}
