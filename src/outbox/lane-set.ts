import { Lane } from "./lane.ts";

/**
 * Lanes that are made when there is a message for them: one for each receiver of a kind, so that a slow one delays no other. They are
 * named `<group>/<receiver>`.
 */
export interface LaneGroup {
  /** Messages of one lane that a server sends at once. */
  readonly placesEach: number;
  /** Messages of all its lanes that a server sends at once. */
  readonly places: number;
}

/** What a server could take of a group now. */
export interface GroupWants extends LaneGroup {
  readonly group: string;
  /** The places of the lanes that have others than `placesEach`, because they hold messages or their circuit is not closed. */
  readonly known: ReadonlyMap<string, number>;
}

/** The lanes of one server. */
export class LaneSet {
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #groups: ReadonlyMap<string, { readonly limits: LaneGroup; readonly lanes: Map<string, Lane> }>;
  readonly #monotonicMs: () => number;

  constructor(
    lanes: Readonly<Record<string, number>>,
    groups: Readonly<Record<string, LaneGroup>>,
    monotonicMs: () => number,
  ) {
    this.#monotonicMs = monotonicMs;
    this.#lanes = new Map(Object.entries(lanes).map(([name, limit]) => [name, new Lane(name, limit, monotonicMs)]));
    this.#groups = new Map(Object.entries(groups).map(([name, limits]) => [name, { limits, lanes: new Map() }]));
  }

  /** The lane of this name. Undefined if the server serves neither it nor its group. */
  find(name: string): Lane | undefined {
    return this.#lanes.get(name) ?? this.#findInGroup(name);
  }

  /** Whether the lane is one of a group. The operator cannot mend its receiver: what that answers is recorded, and not logged. */
  isOfGroup(name: string): boolean {
    return !this.#lanes.has(name);
  }

  *[Symbol.iterator](): Generator<Lane> {
    yield* this.#lanes.values();
    for (const { lanes } of this.#groups.values()) {
      yield* lanes.values();
    }
  }

  /** How many items each lane outside groups could take now. */
  wanted(): Map<string, number> {
    const lanes = [...this.#lanes.values()].filter((lane) => lane.wanted > 0);
    return new Map(lanes.map((lane) => [lane.name, lane.wanted]));
  }

  /** What the groups could take now. Forgets the lanes that need not be remembered. */
  groupsWanted(): GroupWants[] {
    return [...this.#groups].flatMap(([group, { limits, lanes }]) => {
      for (const lane of [...lanes.values()].filter(({ isForgettable }) => isForgettable)) {
        lanes.delete(lane.name);
      }
      const places = [...lanes.values()].reduce((left, { held }) => left - held, limits.places);
      const known = new Map([...lanes.values()].map((lane) => [lane.name, lane.wanted]));
      return places > 0 ? [{ group, placesEach: limits.placesEach, places, known }] : [];
    });
  }

  #findInGroup(name: string): Lane | undefined {
    const end = name.indexOf("/");
    const group = end < 0 ? undefined : this.#groups.get(name.slice(0, end));
    if (group === undefined) {
      return undefined;
    }
    let lane = group.lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(name, group.limits.placesEach, this.#monotonicMs);
      group.lanes.set(name, lane);
    }
    return lane;
  }
}
