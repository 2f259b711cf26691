// Slack's way of asking: commands, buttons and views become operations, and findings become cards. No rules live here,
// no database, no Jira: the operations decide. listener.ts wraps every listener; blocks/ holds every message.

import { App, type BlockAction, ExpressReceiver, type ViewOutput } from '@slack/bolt';
import type { Express } from 'express';
import type { Operations } from '../api/operations/types';
import { askForRejection, decide, rejectWithNote } from './approving';
import { connectActions } from './blocks/connections';
import { elsewhereOf, elsewhereView } from './blocks/elsewhere-view';
import { failOrigin, failView } from './blocks/fail-view';
import { findingActions } from './blocks/finding-card';
import { listActions } from './blocks/findings';
import { noticeActions } from './blocks/notices';
import { pushCardActions } from './blocks/push-card';
import { pickerActions, pickerProblems, pickerView, pickingOf } from './blocks/push-picker';
import { pushActions } from './blocks/pushes';
import { rejectOrigin, rejectView } from './blocks/reject-view';
import { help, menuActions, notice } from './blocks/replies';
import { ruleActions, ruleView } from './blocks/rule-form';
import { ruleOrigin, ruleProblems } from './blocks/rule-values';
import { sessionActions } from './blocks/sessions';
import { createCommand } from './commands';
import { confirmDisconnect, disconnect } from './connecting';
import type { CardLookup } from './find';
import { createIdentity, type Identity } from './identity';
import { type ActionHandler, createListeners, type Sealer } from './listener';
import { boltLogger, type Log } from './log';
import { decideMissing, dropDeadLink } from './missing';
import { countTicks, openPicker, pushChosen, tickAll, turnPage, untickAll } from './picking';
import { askWhere, pushAll, pushElsewhere, pushNamed } from './pushing';
import { showList, showNextPage, showWhy } from './reading';
import { askForFailNote, failWithNote, giveVerdict, rerunNamed, showSessions, startPlanned } from './rerunning';
import { askJiraAnew, openRule, previewRule, saveRule, savingRule } from './ruling';
import { clientOptions } from './slack-client';

/** What the bot needs to know about the workspaces that it is installed in. */
type BotInstallations = {
  findByTeam(teamId: string): Promise<{
    id: string;
    teamId: string;
    enterpriseId: string | null;
    botToken: string;
    botId: string;
    botUserId: string;
    installerId: string | null;
  } | null>;
  markDisconnected(id: string): Promise<void>;
};

export type BotDeps = {
  operations: Operations;
  installations: BotInstallations;
  cards: CardLookup;
  signingSecret: string;
  sealer: Sealer;
  /** The base of the Web API, `https://slack.com/api/`. */
  slackApiUrl: string;
  /** The root command, such as `/recheck`. */
  command: string;
  /** Where people reach Recheck's own pages. */
  baseUrl: string;
  log: Log;
  now?: () => Date;
};

/** The bot: mounted on an Express app before any body parser, it answers Slack's signed requests at `/slack/events`. */
export function createBot(deps: BotDeps): { mount(express: Express): void } {
  const identity = createIdentity({
    operations: deps.operations,
    installerOf: async (teamId) => (await deps.installations.findByTeam(teamId))?.installerId ?? null,
    now: deps.now ?? (() => new Date()),
  });
  return {
    mount(express) {
      const logger = boltLogger(deps.log);
      const { signingSecret, slackApiUrl } = deps;
      const app = new App({
        receiver: new ExpressReceiver({ app: express, endpoints: '/slack/events', signingSecret, logger }),
        authorize: ({ teamId }) => authorize(deps.installations, teamId),
        ignoreSelf: true,
        convoStore: false,
        logger,
        clientOptions: clientOptions({ slackApiUrl, logger }),
      });
      register(app, deps, identity);
    },
  };
}

/** Every listener there is. Action ids are exact, so that no two listeners answer one click. */
function register(app: App, deps: BotDeps, identity: Identity): void {
  const { cards, installations, command } = deps;
  const listeners = createListeners({ ...deps, identity });
  const on = (id: string, handler: ActionHandler) => app.action<BlockAction>(id, listeners.action(handler));

  app.command(command, listeners.command(createCommand(deps)));

  on(findingActions.push, (ask, id) => pushNamed(ask, cards, [{ kind: 'finding', id }]));
  on(findingActions.rerun, (ask, id) => rerunNamed(ask, cards, [{ kind: 'finding', id }]));
  on(findingActions.why, (ask, id) => showWhy(ask, cards, { kind: 'finding', id }));
  on(findingActions.pass, giveVerdict('pass'));
  on(findingActions.fail, askForFailNote);
  on(findingActions.more, fromOverflow(cards));
  on(findingActions.recreate, decideMissing('recreate'));
  on(findingActions.accept, decideMissing('accept'));
  on(findingActions.drop, decideMissing('drop'));
  on(findingActions.unlink, dropDeadLink);
  app.action<BlockAction>(findingActions.openInJira, listeners.linkOnly());
  app.action<BlockAction>(noticeActions.openSite, listeners.linkOnly());

  on(menuActions.list, (ask) => showList(ask, {}));
  on(menuActions.verification, (ask) => showList(ask, { status: 'needs_rerun' }));
  on(menuActions.sessions, (ask) => showSessions(ask));
  on(menuActions.help, (ask) => ask.reply(help(command)));
  on(listActions.next, showNextPage);
  on(pushActions.confirmAll, pushAll);
  on(pushActions.choose, openPicker);
  on(pushActions.dismiss, (ask) => ask.reply(notice('Nothing was pushed.'), { replace: true }));
  on(sessionActions.start, startPlanned);
  app.action<BlockAction>(connectActions.open, listeners.linkOnly());
  on(connectActions.askDisconnect, confirmDisconnect);
  on(connectActions.disconnect, disconnect);
  on(connectActions.keep, (ask) => ask.reply(notice('Nothing was disconnected.'), { replace: true }));

  registerPushes(app, listeners, on);
  const channelOf = (view: ViewOutput) => failOrigin(view.private_metadata).channel;
  const originalOf = (view: ViewOutput) => failOrigin(view.private_metadata).original ?? null;
  app.view(failView.callback, listeners.view(failWithNote, { channelOf, originalOf }));

  app.event('user_change', async ({ event, context }) => {
    if (context.teamId) identity.forget({ teamId: context.teamId, userId: event.user.id });
  });
  app.event('app_uninstalled', ({ context }) => uninstalled(installations, context.teamId));
  app.event('tokens_revoked', async ({ event, context }) => {
    if (event.tokens.bot?.length) await uninstalled(installations, context.teamId);
  });
}

type On = (id: string, handler: ActionHandler) => void;

/** The picker, the form of sync rules, and the messages of pushes. */
function registerPushes(app: App, listeners: ReturnType<typeof createListeners>, on: On): void {
  on(pickerActions.tick, countTicks);
  on(pickerActions.previous, turnPage);
  on(pickerActions.next, turnPage);
  on(pickerActions.all, tickAll);
  on(pickerActions.none, untickAll);
  const channelOf = (view: ViewOutput) => pickingOf(view).channel;
  app.view(pickerView.callback, listeners.view(pushChosen, { channelOf, problems: pickerProblems }));

  const askedIn = (view: ViewOutput) => elsewhereOf(view).channel;
  app.view(elsewhereView.callback, listeners.view(pushElsewhere, { channelOf: askedIn }));

  on(pushCardActions.approve, decide('approve'));
  on(pushCardActions.cancel, decide('cancel'));
  on(pushCardActions.retry, decide('retry'));
  on(pushCardActions.reject, askForRejection);
  on(ruleActions.edit, openRule);
  on(ruleActions.jiraChoice, askJiraAnew);
  on(ruleActions.preview, previewRule);
  const ruledIn = (view: ViewOutput) => ruleOrigin(view).channel;
  const ruling = { channelOf: ruledIn, problems: ruleProblems, meanwhile: savingRule };
  app.view(ruleView.callback, listeners.view(saveRule, ruling));

  const rejectedIn = (view: ViewOutput) => rejectOrigin(view.private_metadata).channel;
  const originalOf = (view: ViewOutput) => rejectOrigin(view.private_metadata).original ?? null;
  app.view(rejectView.callback, listeners.view(rejectWithNote, { channelOf: rejectedIn, originalOf }));
}

/** The menu behind the three dots of a card: `<verb> <finding> [<session id>]`. */
function fromOverflow(cards: CardLookup): ActionHandler {
  return async (ask, value) => {
    const [verb, ...rest] = value.split(' ');
    if (verb === 'pass' || verb === 'skip' || verb === 'unstable') await giveVerdict(verb)(ask, rest.join(' '));
    else if (verb === 'fail') await askForFailNote(ask, rest.join(' '));
    else if (verb === 'elsewhere') await askWhere(ask, rest[0] ?? '');
    else await showWhy(ask, cards, { kind: 'finding', id: rest[0] ?? '' });
  };
}

async function authorize(installations: BotInstallations, teamId: string | undefined) {
  const installation = teamId ? await installations.findByTeam(teamId) : null;
  if (!installation)
    throw new Error('Recheck is not installed in this Slack workspace, or was removed. Install it again.');
  const { botToken, botId, botUserId, enterpriseId } = installation;
  return { botToken, botId, botUserId, teamId: installation.teamId, ...(enterpriseId ? { enterpriseId } : {}) };
}

async function uninstalled(installations: BotInstallations, teamId: string | undefined): Promise<void> {
  const installation = teamId ? await installations.findByTeam(teamId) : null;
  if (installation) await installations.markDisconnected(installation.id);
}
