import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";
import { Route, Router, Switch } from "wouter";
import { useMode } from "./api/mode.ts";
import { queryClient } from "./api/query-client.ts";
import { consolePath } from "./api/server-address.ts";
import { transports } from "./api/transport.ts";
import { ErrorBoundary } from "./shell/error-boundary.tsx";
import { PageLoading } from "./shell/page-loading.tsx";
import { SignedIn } from "./shell/signed-in.tsx";

const SignInPage = lazy(() => import("./pages/sign-in/sign-in-page.tsx"));
const SignUpPage = lazy(() => import("./pages/sign-up/sign-up-page.tsx"));
const ResetPasswordPage = lazy(() => import("./pages/reset-password/reset-password-page.tsx"));

export function App() {
  return (
    <ErrorBoundary>
      <QueryClientProvider client={queryClient}>
        <Router base={consolePath}>
          <Transport>
            <Suspense fallback={<PageLoading />}>
              <Switch>
                <Route path="/sign-in" component={SignInPage} />
                <Route path="/sign-up" component={SignUpPage} />
                <Route path="/reset-password" component={ResetPasswordPage} />
                <Route component={SignedIn} />
              </Switch>
            </Suspense>
          </Transport>
        </Router>
      </QueryClientProvider>
    </ErrorBoundary>
  );
}

/** Queries and mutations of connect-query call in the mode of the address. */
function Transport({ children }: { readonly children: ReactNode }) {
  return <TransportProvider transport={transports[useMode()]}>{children}</TransportProvider>;
}
