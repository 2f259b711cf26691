// Which columns hold sealed secrets, and what binds each ciphertext to its row.

/** The credentials of a connection: the API token, or the OAuth pair. */
export function credentialsContext(connectionId: string): string {
  return `connection:${connectionId}:credentials`;
}

/** The secret with which Jira signs the deliveries of a connection. */
export function webhookSecretContext(connectionId: string): string {
  return `connection:${connectionId}:webhook_secret`;
}

/** The bot token of a Slack workspace. */
export function botTokenContext(installationId: string): string {
  return `slack_installation:${installationId}:bot_token`;
}

/** What waits behind a one-time link, such as a grant whose site is still to be chosen. */
export function linkPayloadContext(linkId: string): string {
  return `one_time_link:${linkId}:payload`;
}

export type SealedColumn = {
  name: string;
  context: (id: string) => string;
  /** Answers id and sealed value of the next $2 rows after the id $1 (null to begin). */
  page: string;
  /** Answers the sealed value of the row $1. */
  one: string;
  /** Replaces the sealed value $2 of the row $1 by $3, where it is still $2. */
  swap: string;
};

function column(table: string, name: string, context: SealedColumn['context']): SealedColumn {
  return {
    name: `${table}.${name}`,
    context,
    page: `select id, ${name} as sealed from ${table}
      where ${name} is not null and ($1::uuid is null or id > $1) order by id limit $2`,
    one: `select ${name} as sealed from ${table} where id = $1 and ${name} is not null`,
    swap: `update ${table} set ${name} = $3 where id = $1 and ${name} = $2`,
  };
}

const payload = `decode(payload ->> 'sealed', 'base64')`;

/** Every sealed column; a key rotation goes through all of them. */
export const sealedColumns: ReadonlyArray<SealedColumn> = [
  column('connection', 'credentials', credentialsContext),
  column('connection', 'webhook_secret', webhookSecretContext),
  column('slack_installation', 'bot_token', botTokenContext),
  {
    name: 'one_time_link.payload',
    context: linkPayloadContext,
    page: `select id, ${payload} as sealed from one_time_link
      where payload ? 'sealed' and ($1::uuid is null or id > $1) order by id limit $2`,
    one: `select ${payload} as sealed from one_time_link where id = $1 and payload ? 'sealed'`,
    // PostgreSQL breaks base64 into lines; ours has none.
    swap: `update one_time_link set payload = jsonb_build_object('sealed', translate(encode($3::bytea, 'base64'), E'\\n', ''))
      where id = $1 and ${payload} = $2::bytea`,
  },
];
