// Once round the loop from outside: reports by HTTP, pushes and verdicts by Slack, Done by Jira. Every step waits for
// what Recheck makes of the one before, as people would.

import { randomBytes } from 'node:crypto';
import type { FindingView } from '../../api/operations/types';
import { failView } from '../../bot/blocks/fail-view';
import { findingActions } from '../../bot/blocks/finding-card';
import type { FindingStatus } from '../../workflows/rules/vocabulary';
import type { JiraPerson } from './jira-person';
import { type DemoFinding, MOST_DRIVEN, planOf } from './plan';
import type { Recheck } from './recheck';
import type { ReportFile } from './reports';
import type { Person, SlackPeople } from './slack-people';
import { type Timeline, table } from './timeline';
import { waitFor } from './wait-for';

export interface Stage {
  recheck: Recheck;
  jira: JiraPerson;
  slack: SlackPeople;
  timeline: Timeline;
}
interface Cast {
  findings: DemoFinding[];
  pusher: Person;
  verifier: Person;
  /** How a finding stands now. */
  look: (id: string) => Promise<FindingView | undefined>;
}
type Scene = Stage & Cast;

const WONT_DO = "Won't Do";
const NOTE = 'Looked at it again: the problem is still there on the page.';
/** Longer than the settle delay of a production configuration. */
const FLAG_SECONDS = 120;

/** Drives the reports round the loop, and answers in a few words each finding that is not where it should be. */
export async function playStory(
  stage: Stage,
  { reports, isBroken }: { reports: ReportFile[]; isBroken: boolean },
): Promise<string[]> {
  const { timeline, slack } = stage;
  timeline.heading('Reports');
  const { keys, findings } = await sendReports(stage, { reports, isBroken });
  if (findings.length === 0) {
    timeline.plain('The reports hold no finding, so there is nothing to drive round the loop.');
    return [];
  }
  const [pusher, verifier] = await Promise.all([slack.withRole('member'), slack.withRole('admin')]);
  const scene = { ...stage, findings, pusher, verifier, look: stage.recheck.watch(keys, MOST_DRIVEN) };
  await pushAll(scene);
  timeline.heading('Done in Jira');
  await each(scene, (finding) => claim(scene, finding));
  timeline.heading('Re-run');
  await each(scene, (finding) => rerun(scene, finding));
  return await tellEnd(scene);
}

async function sendReports(
  { recheck, timeline }: Stage,
  { reports, isBroken }: { reports: ReportFile[]; isBroken: boolean },
): Promise<{ keys: string[]; findings: DemoFinding[] }> {
  const run = randomBytes(3).toString('hex');
  const taken: { key: string; report: string; findings: FindingView[]; count: number }[] = [];
  for (const [index, report] of reports.entries()) {
    const key = `demo-${run}-${index + 1}`;
    await recheck.createSource({ key, report });
    const { format, findings } = await recheck.sendReport(key, report);
    timeline.tell('HTTP', `${report.name}: ingested ${counted(findings.new)} (${format}), source ${key}`);
    const first = await recheck.findings(key, MOST_DRIVEN);
    taken.push({ key, report: report.name, findings: first, count: findings.new });
  }
  const findings = planOf(taken, isBroken);
  const left = taken.reduce((sum, { count }) => sum + count, 0) - findings.length;
  if (left > 0) timeline.plain(`The first ${findings.length} are driven round the loop; the other ${left} stay open.`);
  return { keys: taken.map(({ key }) => key), findings };
}

/** One command names them all, as somebody would who comes from a list. */
async function pushAll(scene: Scene): Promise<void> {
  const { timeline, slack, pusher, findings } = scene;
  timeline.heading('Push');
  const command = `push ${findings.map(({ id }) => id).join(' ')}`;
  timeline.tell('Slack', `${pusher.name} types /recheck ${command}`);
  const answer = slack.command(pusher, command);
  await each(scene, async (finding) => {
    const { jira } = await reaches(scene, finding, 'awaiting_fix', 60);
    if (!jira) throw new Error('It waits for a fix and has no Jira issue.');
    finding.jiraKey = jira.key;
    timeline.tell(finding.id, `pushed as ${jira.key}`);
  });
  await answer;
}

async function claim(scene: Scene, finding: DemoFinding): Promise<void> {
  const { jira, timeline } = scene;
  const { id, jiraKey = '', part } = finding;
  const resolution = part === 'wont_do' ? WONT_DO : undefined;
  await jira.markDone(jiraKey, resolution);
  timeline.tell(id, `Done in Jira: ${jira.name} moves ${jiraKey}${resolution ? `, resolution ${resolution}` : ''}`);
  if (resolution) {
    await reaches(scene, finding, 'blocked', FLAG_SECONDS);
    timeline.tell(id, 'blocked: closed in Jira as not to be done');
  } else {
    await reaches(scene, finding, 'needs_rerun', FLAG_SECONDS);
    timeline.tell(id, 'flagged: needs re-run');
  }
}

async function rerun(scene: Scene, finding: DemoFinding): Promise<void> {
  const { timeline, slack, recheck, verifier } = scene;
  const { id, part } = finding;
  if (part === 'wont_do') return;
  if (part === 'left') return timeline.tell(id, 'left without a re-run, because of --break');
  if (part === 'fails_first') {
    await startSession(scene, finding);
    const note = { [`${failView.block}/${failView.input}`]: NOTE };
    await slack.pressAndFill(verifier, { actionId: findingActions.fail, finding: id }, note);
    const failed = async () => (await recheck.events(id)).includes('verdict_fail') || undefined;
    await waitFor(`the failed re-run of ${id}`, failed);
    timeline.tell(id, `failed: ${verifier.name} presses Fail, with a note; it stays flagged`);
  }
  await startSession(scene, finding, part === 'fails_first' ? 'second' : 'first');
  await slack.press(verifier, { actionId: findingActions.pass, finding: id });
  timeline.tell(id, `passed: ${verifier.name} presses Pass`);
  await reaches(scene, finding, 'verified', 60);
  timeline.tell(id, 'verified');
}

async function startSession(
  { timeline, slack, verifier }: Scene,
  { id }: DemoFinding,
  round: 'first' | 'second' = 'first',
): Promise<void> {
  await slack.press(verifier, { actionId: findingActions.rerun, finding: id });
  const again = round === 'second' ? ', second round' : '';
  timeline.tell(id, `session: ${verifier.name} presses Start re-run on the card${again}`);
}

async function reaches(
  { look }: Scene,
  { id }: DemoFinding,
  status: FindingStatus,
  seconds: number,
): Promise<FindingView> {
  let last: string | undefined;
  const probe = async () => {
    const finding = await look(id);
    last = finding?.status;
    return last === status ? finding : undefined;
  };
  return waitFor(`${id} becomes ${status}`, probe, seconds).catch((error: Error) => {
    throw new Error(`${error.message} It is ${last ?? 'not there'}.`);
  });
}

/** Goes on with each finding that got this far. One that fails keeps its reason and holds up no other. */
async function each({ findings, timeline }: Scene, step: (finding: DemoFinding) => Promise<void>): Promise<void> {
  const going = findings.filter(({ problem }) => problem === undefined);
  await Promise.all(
    going.map((finding) =>
      step(finding).catch((error: Error) => {
        finding.problem = error.message;
        timeline.tell(finding.id, `stopped: ${error.message}`);
      }),
    ),
  );
}

async function tellEnd({ timeline, look, findings }: Scene): Promise<string[]> {
  timeline.heading('How it ended');
  const ends = await Promise.all(
    findings.map(async (finding) => ({ finding, status: (await look(finding.id))?.status ?? 'not there' })),
  );
  const rows = ends.map(({ finding, status }) => [
    finding.id,
    finding.report,
    shortened(finding.rule),
    finding.severity,
    finding.jiraKey ?? '',
    status,
    status === finding.expected ? 'as it should' : `should be ${finding.expected}`,
  ]);
  timeline.plain(table(['finding', 'report', 'rule or test', 'severity', 'Jira', 'state', ''], rows));
  return ends
    .filter(({ finding, status }) => status !== finding.expected)
    .map(
      ({ finding, status }) => `${finding.id} is ${status} and should be ${finding.expected}. ${finding.problem ?? ''}`,
    );
}

function counted(findings: number): string {
  return `${findings} ${findings === 1 ? 'finding' : 'findings'}`;
}

function shortened(text: string): string {
  return text.length > 44 ? `${text.slice(0, 43)}…` : text;
}
