import { connectionCure, orNotFound } from '../../api/operations/guard';
import { Refusal } from '../../api/operations/refusal';
import { refuseWhatJiraRefuses } from '../../api/operations/rule-refusals';

function refusalOf(refuse: () => void): Refusal {
  try {
    refuse();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe('a refusal in both of its places', () => {
  it('B1 names the call to a program, and the command to a person in Slack', () => {
    const { message, inSlack } = refusalOf(() => orNotFound(null, 'The connection x', connectionCure));
    expect(message).toBe('The connection x is not there. GET /api/v1/connections lists them.');
    expect(inSlack).toBe('The connection x is not there. `/recheck connect` shows them.');
  });

  it('C3 R6 says where the values that Jira requires are given', () => {
    const missing = [{ id: 'customfield_1', name: 'Team', type: 'string', allowedValues: [] }];
    const { message, inSlack } = refusalOf(() => refuseWhatJiraRefuses({ problems: [], missing, warnings: [] }));
    for (const said of [message, inSlack])
      expect(said).toContain('no default: Team (customfield_1). Give their values');
    expect(message).toContain('template.fields');
    expect(inSlack).toContain('`/recheck rules SOURCE`');
    expect(inSlack).not.toContain('template.fields');
  });
});
