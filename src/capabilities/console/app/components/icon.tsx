/** Line icons of 24 units, drawn for the console. */
const paths = {
  overview: "M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z",
  key: "M15 9a1 1 0 1 0 0-.01M21 9a6 6 0 0 1-7.700 5.750L12 16H10v2H8v2H4v-4l5.250-5.250A6 6 0 1 1 21 9z",
  shield: "M12 3 5 6v5c0 4.500 2.900 8.300 7 10 4.100-1.700 7-5.500 7-10V6zM9 12l2 2 4-4",
  chart: "M5 20V11M12 20V4M19 20v-6",
  ban: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.700 5.700l12.600 12.600",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  phone: "M5 4h4l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2z",
  play: "M6 4.500v15l13-7.500z",
  inbox: "M4 13l3-8h10l3 8v6H4zM4 13h5l1.500 2.500h3L15 13h5",
  usage: "M4 7h14a2 2 0 0 1 2 2v9H4zM4 7V6a2 2 0 0 1 2-2h10v3M16 12.500h.01",
  events: "M3 12h4l3-8 4 16 3-8h4",
  webhook: "M9 8a3 3 0 1 1 4.500 2.600L17 16M7 16a3 3 0 1 0 3 3h7M17 16a3 3 0 1 1-2 5.200M7 16l3.300-5.500",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.500 10 17 19 7",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.400 1.400M17.600 17.600 19 19M19 5l-1.400 1.400M6.400 17.600 5 19",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0",
  book: "M5 4h6a2 2 0 0 1 1 .5A2 2 0 0 1 13 4h6v15h-6a1 1 0 0 0-1 1 1 1 0 0 0-1-1H5zM12 4.500V20",
  plus: "M12 5v14M5 12h14",
  more: "M5 11a1 1 0 1 0 0 2 1 1 0 1 0 0-2M12 11a1 1 0 1 0 0 2 1 1 0 1 0 0-2M19 11a1 1 0 1 0 0 2 1 1 0 1 0 0-2",
  chevron: "M7 10l5 5 5-5",
  next: "M10 7l5 5-5 5",
  back: "M14 7l-5 5 5 5",
  warning: "M12 4 2.500 20h19zM12 10v4M12 17h.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8h.01",
  refresh: "M20 11a8 8 0 1 0-2.300 6.300M20 5v6h-6",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
} as const;

export type IconName = keyof typeof paths;

/** A decoration: what it stands for is said beside it, or by the label of its button. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      className="icon"
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
