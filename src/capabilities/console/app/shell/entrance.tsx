import { type ReactNode, useEffect } from "react";
import { serverPath } from "../api/server-address.ts";
import { Brand } from "./brand.tsx";

export interface EntranceProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly children: ReactNode;
  /** Below the form: where else to go. */
  readonly footer: ReactNode;
}

/** The frame of the pages for those who are not signed in. */
export function Entrance({ title, description, children, footer }: EntranceProps) {
  useEffect(() => {
    document.title = `${title} · Byond`;
  }, [title]);
  return (
    <div className="entrance">
      <header className="entrance-head">
        <Brand />
        <a href={`${serverPath}/docs`}>Reference</a>
      </header>
      <main className="entrance-main">
        <h1 className="entrance-title">{title}</h1>
        {description && <p className="entrance-description">{description}</p>}
        <div className="entrance-form">{children}</div>
        <div className="entrance-footer">{footer}</div>
      </main>
    </div>
  );
}
