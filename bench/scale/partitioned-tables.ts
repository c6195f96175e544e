const days = 30;
const rowsOfDay = 10_000;
const rows = days * rowsOfDay;

/** A table of which there is one as a whole, `<name>_whole`, one in partitions, `<name>_parted`, and rows of the next day, `<name>_next`. */
export interface Partitioned {
  readonly name: string;
  readonly rows: number;
  readonly rowsOfDay: number;
  readonly create: readonly string[];
  /** Rows that the statements look for. */
  readonly samples: string;
  /** As the server's, with TABLE as the name. */
  readonly statements: readonly Looking[];
  /** Of one batch. */
  readonly sweep: string;
}

interface Looking {
  readonly name: string;
  readonly text: string;
  readonly values: (sample: Readonly<Record<string, unknown>>) => readonly unknown[];
}

/** The table's own indexes on its copies. A unique one has to contain the column that divides the table. */
const indexesOf = (name: string, key: string) => `DO $do$
  DECLARE one record; side text; definition text;
  BEGIN
    FOR one IN SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '${name}' LOOP
      FOREACH side IN ARRAY '{${name}_whole,${name}_parted}'::text[] LOOP
        definition := replace(replace(one.indexdef, one.indexname, side || '_' || one.indexname), 'public.${name} ', side || ' ');
        IF side = '${name}_parted' AND definition LIKE '%UNIQUE%' AND definition !~ '[( ]"?${key}"?[,)]' THEN
          definition := replace(definition, ')', ', ${key})');
        END IF;
        EXECUTE definition;
      END LOOP;
    END LOOP;
  END $do$`;

/** `own`: SQL of columns that are not the template's, with `row` as the number of the row, from 0. `bound`: SQL of the first key of a day. */
function create(name: string, key: string, own: Readonly<Record<string, string>>, bound: (day: number) => string) {
  const values = JSON.stringify(own).replaceAll("'", "''");
  return [
    `DO $do$
      DECLARE expressions text; own jsonb := '${values}';
      BEGIN
        SELECT string_agg(coalesce(own->>attname, quote_ident(attname)) || ' AS ' || quote_ident(attname), ', ' ORDER BY attnum)
        INTO expressions FROM pg_attribute WHERE attrelid = '${name}'::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE 'CREATE UNLOGGED TABLE ${name}_rows AS SELECT row, ' || expressions || $from$
          FROM generate_series(0, ${rows + rowsOfDay - 1}) AS row
          JOIN (SELECT *, row_number() OVER () - 1 AS place, count(*) OVER () AS places FROM ${name}) AS template
            ON place = row % places ORDER BY row $from$;
      END $do$`,
    `CREATE TABLE ${name}_whole (LIKE ${name} INCLUDING DEFAULTS INCLUDING STORAGE)`,
    `CREATE TABLE ${name}_parted (LIKE ${name} INCLUDING DEFAULTS) PARTITION BY RANGE (${key})`,
    ...Array.from(
      { length: days + 1 },
      (_, index) =>
        `CREATE TABLE ${name}_parted_${index + 1} PARTITION OF ${name}_parted FOR VALUES FROM (${bound(index)}) TO (${bound(index + 1)})`,
    ),
    indexesOf(name, key),
    ...["whole", "parted"].map(
      (side) => `DO $do$ BEGIN EXECUTE (
        SELECT 'INSERT INTO ${name}_${side} SELECT ' || string_agg(quote_ident(attname), ', ' ORDER BY attnum) || ' FROM ${name}_rows WHERE row < ${rows}'
        FROM pg_attribute WHERE attrelid = '${name}'::regclass AND attnum > 0 AND NOT attisdropped
      ); END $do$`,
    ),
    `CREATE TABLE ${name}_next AS SELECT * FROM ${name}_rows WHERE row >= ${rows}`,
    `UPDATE ${name}_next SET row = row - ${rows}`,
    `CREATE INDEX ON ${name}_next (row)`,
  ];
}

const day = (number: string) => `lpad((${number})::text, 8, '0')`;
const rowDay = `row / ${rowsOfDay}`;
/** A point of time in the 31 days up to now. */
const time = `now() - (${rows + rowsOfDay} - row) * interval '${86_400 / rowsOfDay} seconds'`;
const random = (column: string) =>
  `substr(translate(encode(sha256(row::text::bytea), 'base64'), '+/=', '-_'), 1, length(${column}))`;

const event: Partitioned = {
  name: "event",
  rows,
  rowsOfDay,
  create: create(
    "event",
    "position",
    {
      position: "row",
      id: `'evt_' || ${day(rowDay)} || lpad(row::text, 14, '0')`,
      subject_id: `'vrf_' || ${day(rowDay)} || lpad((row / 3)::text, 14, '0')`,
      created_at: time,
    },
    (index) => String(index * rowsOfDay),
  ),
  samples: "SELECT * FROM event_whole ORDER BY id_random() LIMIT 200",
  statements: [
    {
      name: "by id",
      text: "SELECT * FROM (SELECT * FROM TABLE WHERE id = $1 OFFSET 0) AS event WHERE workspace_id = $2 AND mode = $3",
      values: ({ id, workspace_id, mode }) => [id, workspace_id, mode],
    },
    {
      name: "of an object",
      text: `SELECT * FROM (SELECT * FROM TABLE WHERE subject_id = $1 OFFSET 0) AS event WHERE workspace_id = $2 AND mode = $3
        ORDER BY position DESC LIMIT $4`,
      values: ({ subject_id, workspace_id, mode }) => [subject_id, workspace_id, mode, 20],
    },
    {
      name: "the newest 20 of a workspace",
      text: "SELECT * FROM TABLE WHERE workspace_id = $1 AND mode = $2 ORDER BY position DESC LIMIT $3",
      values: ({ workspace_id, mode }) => [workspace_id, mode, 20],
    },
    {
      name: "20 after a position",
      text: "SELECT * FROM TABLE WHERE position > $1 ORDER BY position LIMIT $2",
      values: ({ position }) => [position, 20],
    },
    { name: "the last position", text: "SELECT coalesce(max(position), 0) FROM TABLE", values: () => [] },
  ],
  sweep: `DELETE FROM TABLE WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM TABLE WHERE created_at <= (SELECT now() - interval '30 days') ORDER BY created_at LIMIT 1000 FOR UPDATE SKIP LOCKED
  ))`,
};

const verification: Partitioned = {
  name: "verification",
  rows,
  rowsOfDay,
  create: create(
    "verification",
    "id",
    {
      id: `'vrf_' || ${day(rowDay)} || lpad(row::text, 14, '0')`,
      recipient_index: random("recipient_index"),
      created_at: time,
      expires_at: `${time} + interval '10 minutes'`,
    },
    (index) => `'vrf_${String(index).padStart(8, "0")}'`,
  ),
  samples: "SELECT * FROM verification_whole ORDER BY id_random() LIMIT 200",
  statements: [
    {
      name: "by id",
      text: "SELECT * FROM TABLE WHERE workspace_id = $1 AND id = $2",
      values: ({ workspace_id, id }) => [workspace_id, id],
    },
    {
      name: "a change by id, HOT",
      text: "UPDATE TABLE SET attempts = attempts + 1 WHERE workspace_id = $1 AND id = $2 RETURNING attempts",
      values: ({ workspace_id, id }) => [workspace_id, id],
    },
    {
      name: "of a recipient",
      text: "SELECT * FROM TABLE WHERE recipient_index = $1 AND workspace_id = $2 AND mode = $3",
      values: ({ recipient_index, workspace_id, mode }) => [recipient_index, workspace_id, mode],
    },
    {
      name: "the newest 20 of a workspace",
      text: `SELECT * FROM TABLE WHERE workspace_id = $1 AND mode = $2 AND created_at > '-infinity'
        ORDER BY created_at DESC, id DESC LIMIT 20`,
      values: ({ workspace_id, mode }) => [workspace_id, mode],
    },
  ],
  sweep: `WITH old AS (
      SELECT workspace_id, id FROM TABLE WHERE created_at < (SELECT now() - interval '30 days') AND created_at < 'infinity'
      ORDER BY created_at LIMIT 500 FOR UPDATE SKIP LOCKED
    )
    DELETE FROM TABLE USING old WHERE TABLE.workspace_id = old.workspace_id AND TABLE.id = old.id`,
};

export const partitioned: readonly Partitioned[] = [event, verification];
