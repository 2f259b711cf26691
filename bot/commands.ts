import { showWaiting } from './approving';
import { elsewhereCommands, help, menu, notYet, refused, unknownCommand } from './blocks/replies';
import type { Message } from './blocks/text';
import { type ParsedCommand, parseCommand } from './command-text';
import { offerConnect, offerDisconnect } from './connecting';
import type { CardLookup } from './find';
import type { Ask, CommandHandler } from './listener';
import { offerPush, pushEither, pushNamed } from './pushing';
import { showList, showStatus, showWhy } from './reading';
import { rerunNamed, showSessions } from './rerunning';
import { showRules } from './ruling';

/** The root command: its text decides which operation is asked for. */
export function createCommand(deps: { command: string; baseUrl: string; cards: CardLookup }): CommandHandler {
  return {
    atOnce: (text) => atOnce(deps, parseCommand(text, elsewhereCommands)),
    handle: (ask, text) => run(deps.cards, ask, parseCommand(text, elsewhereCommands)),
  };
}

/** What needs no rights and nothing looked up goes into the acknowledgement. */
function atOnce(where: { command: string; baseUrl: string }, parsed: ParsedCommand): Message | null {
  switch (parsed.verb) {
    case 'menu':
      return menu(where.command);
    case 'help':
      return help(where.command);
    case 'elsewhere':
      return notYet(where, parsed.name);
    case 'unknown':
      return unknownCommand(where.command, parsed);
    case 'invalid':
      return refused(parsed.message);
    default:
      return null;
  }
}

async function run(cards: CardLookup, ask: Ask, parsed: ParsedCommand): Promise<void> {
  switch (parsed.verb) {
    case 'push':
      return pushNamed(ask, cards, parsed.findings);
    case 'push_either':
      return pushEither(ask, cards, parsed);
    case 'push_all':
      return offerPush(ask, parsed.source);
    case 'rerun':
      return rerunNamed(ask, cards, parsed.findings);
    case 'status':
      return showStatus(ask, cards, parsed.finding);
    case 'why':
      return showWhy(ask, cards, parsed.finding);
    case 'list':
      return showList(ask, parsed);
    case 'sessions':
      return showSessions(ask, parsed.source);
    case 'rules':
      return showRules(ask, parsed.source);
    case 'approve':
      return showWaiting(ask);
    case 'connect':
      return offerConnect(ask);
    case 'disconnect':
      return offerDisconnect(ask);
    default:
      // The rest was answered with the ack.
      return;
  }
}
