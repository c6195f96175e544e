import { Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { Button } from "./button.tsx";

export interface MenuAction {
  readonly name: string;
  readonly run: () => void;
  readonly tone?: "danger";
  readonly isDisabled?: boolean;
}

/** A button with three dots that opens a menu of actions. */
export function ActionMenu({ label, actions }: { readonly label: string; readonly actions: readonly MenuAction[] }) {
  return (
    <MenuTrigger>
      <Button tone="quiet" size="small" icon="more" aria-label={label} />
      <Popover className="popover" placement="bottom end">
        <Menu className="list-box">
          {actions.map(({ name, run, tone, isDisabled = false }) => (
            <MenuItem
              key={name}
              className={tone === "danger" ? "list-item list-item-danger" : "list-item"}
              onAction={run}
              isDisabled={isDisabled}
            >
              {name}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
