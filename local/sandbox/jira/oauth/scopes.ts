/** The classic scopes of Jira and of sign-in, with what the consent page says about them. */
export const knownScopes: Readonly<Record<string, string>> = {
  'read:jira-work': 'View projects, issues and their fields, comments and attachments',
  'write:jira-work': 'Create and edit issues, comment, attach files, move issues through their workflow',
  'read:jira-user': 'View people who use Jira',
  'manage:jira-webhook': 'Register webhooks for this app and remove them',
  'manage:jira-project': 'Manage project settings',
  'manage:jira-configuration': 'Manage the settings of Jira',
  'read:me': 'View your profile',
  'read:account': 'View your account',
  offline_access: 'Keep this access while you are away',
};
