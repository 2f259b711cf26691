/** The environment with every value trimmed and without what is blank: `NAME=` of an .env file says nothing. */
export function withoutBlank(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const trimmed = Object.entries(env).map(([name, value]) => [name, value?.trim()] as const);
  return Object.fromEntries(trimmed.filter(([, value]) => value));
}

/** Settings of a real installation, which a run on a home of its own must not touch. */
const FOREIGN =
  /^(DATABASE_URL|SANDBOX_DATABASE_URL|ENCRYPTION_KEYS|(SLACK|ATLASSIAN|TEMPORAL)_\w+|BASE_URL|PORT|HOST|METRICS_PORT)$/;

/** The environment for a Recheck that is started for one command: nothing in it leads to a real installation. */
export function withoutForeign(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !FOREIGN.test(name)));
}

/** Somebody's credentials for another Temporal must not be tried on the one that is started here. */
export function withoutTemporal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = Object.keys(env).filter((name) => name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(names.map((name) => [name, undefined])), TEMPORAL_NAMESPACE: 'default' };
}

/** Then OAuth goes to that app at Atlassian; connections by API token can still be to the sandbox. */
export function hasRealAtlassian(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.ATLASSIAN_CLIENT_ID && env.ATLASSIAN_CLIENT_SECRET);
}

/** What Recheck's processes need to reach that app. */
export function atlassianVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { ATLASSIAN_CLIENT_ID, ATLASSIAN_CLIENT_SECRET, ATLASSIAN_AUTH_URL, ATLASSIAN_API_URL } = env;
  return { ATLASSIAN_CLIENT_ID, ATLASSIAN_CLIENT_SECRET, ATLASSIAN_AUTH_URL, ATLASSIAN_API_URL };
}

/** Then nothing points at the sandbox's Slack; it runs unused. */
export function hasRealSlack(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.SLACK_BOT_TOKEN && env.SLACK_SIGNING_SECRET);
}
