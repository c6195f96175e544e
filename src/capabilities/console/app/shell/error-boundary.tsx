import { Component, type ReactNode } from "react";

interface Props {
  readonly children: ReactNode;
  /** Shows the children again when it changes: the address. */
  readonly resetKey?: string;
  /** A dialog or menu beside the page: what is on the page stays, and is not lost if it cannot be loaded. */
  readonly isBesidePage?: boolean;
}

interface State {
  readonly error: Error | undefined;
  readonly resetKey: string | undefined;
}

/** Shows what went wrong in place of a page that cannot be shown, and lets everything around it work. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: undefined, resetKey: this.props.resetKey };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  static getDerivedStateFromProps({ resetKey }: Props, state: State): Partial<State> | null {
    return resetKey === state.resetKey ? null : { error: undefined, resetKey };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) {
      return this.props.children;
    }
    if (this.props.isBesidePage) {
      return (
        <div className="notification part-failed" role="alert">
          <p>This part of the console could not be loaded. What you typed is still here; loading again loses it.</p>
          <button type="button" className="button" onClick={() => location.reload()}>
            Load again
          </button>
        </div>
      );
    }
    return (
      <div className="error-page" role="alert">
        <h1>This page has failed</h1>
        <p>
          It is a fault of the console, or it was updated since you opened it. Load it again; what you do elsewhere is
          not affected.
        </p>
        <pre className="error-page-detail">{error.message}</pre>
        <button type="button" className="button button-primary" onClick={() => location.reload()}>
          Load again
        </button>
      </div>
    );
  }
}
