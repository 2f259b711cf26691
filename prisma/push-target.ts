// The connection that a push goes to: the source's, or one that was chosen for this push.

/** Where a push goes that was given a connection (an expression): null where it is that of source `s`; `c` is its row. */
export function chosenSql(connection: string): string {
  return `case when ${connection} is distinct from s.connection_id and ${connection} is not null
    then json_build_object('connectionId', c.id, 'projectKey', c.project_key) end`;
}
