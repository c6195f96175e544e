import type { ReactNode } from "react";
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from "react-aria-components";
import { classNames } from "./class-names.ts";
import { Icon, type IconName } from "./icon.tsx";
import { PageLink } from "./page-link.tsx";

/** `primary`: one a view. `danger`: what cannot be undone. `quiet`: without a border. */
export type ButtonTone = "primary" | "secondary" | "danger" | "quiet";

export interface ButtonProps extends Omit<AriaButtonProps, "className" | "style" | "children"> {
  readonly tone?: ButtonTone;
  readonly size?: "small" | "normal";
  readonly icon?: IconName;
  readonly children?: ReactNode;
}

/** A button with text, or with an icon and an `aria-label`. `isPending` keeps it from being pressed twice and says that it works. */
export function Button({ tone = "secondary", size = "normal", icon, children, ...rest }: ButtonProps) {
  return (
    <AriaButton
      {...rest}
      className={classNames(
        "button",
        `button-${tone}`,
        size === "small" && "button-small",
        children === undefined && "button-icon",
      )}
    >
      {({ isPending }) => (
        <>
          {isPending ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={16} />}
          {children}
        </>
      )}
    </AriaButton>
  );
}

/** A link to a page of the console that looks like a button. */
export function ButtonLink({
  to,
  tone = "secondary",
  icon,
  children,
}: {
  readonly to: string;
  readonly tone?: ButtonTone;
  readonly icon?: IconName;
  readonly children: ReactNode;
}) {
  return (
    <PageLink to={to} className={classNames("button", `button-${tone}`)}>
      {icon && <Icon name={icon} size={16} />}
      {children}
    </PageLink>
  );
}
