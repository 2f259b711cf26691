import { elsewhereCommands, help, menu, notYet, refused, unknownCommand } from './blocks/replies';
import type { Message } from './blocks/text';
import { type ParsedCommand, parseCommand } from './command-text';
import { offerConnect, offerDisconnect } from './connecting';
import type { CardLookup } from './find';
import type { Ask, CommandHandler } from './listener';
import { offerPushAll, pushNamed } from './pushing';
import { showList, showStatus, showWhy } from './reading';
import { rerunNamed, showSessions } from './rerunning';

/** The root command: its text decides which operation is asked for. */
export function createCommand(deps: { command: string; baseUrl: string; cards: CardLookup }): CommandHandler {
  return {
    atOnce: (text) => atOnce(deps, parseCommand(text, elsewhereCommands)),
    handle: (ask, text) => run(deps.cards, ask, parseCommand(text, elsewhereCommands)),
  };
}

/** What needs no rights and nothing looked up goes into the acknowledgement. */
function atOnce(where: { command: string; baseUrl: string }, asked: ParsedCommand): Message | null {
  switch (asked.verb) {
    case 'menu':
      return menu(where.command);
    case 'help':
      return help(where.command);
    case 'elsewhere':
      return notYet(where, asked.name);
    case 'unknown':
      return unknownCommand(where.command, asked);
    case 'invalid':
      return refused(asked.message);
    default:
      return null;
  }
}

async function run(cards: CardLookup, ask: Ask, asked: ParsedCommand): Promise<void> {
  switch (asked.verb) {
    case 'push':
      return pushNamed(ask, cards, asked.findings);
    case 'push_all':
      return offerPushAll(ask, asked.source);
    case 'rerun':
      return rerunNamed(ask, cards, asked.findings);
    case 'status':
      return showStatus(ask, cards, asked.finding);
    case 'why':
      return showWhy(ask, cards, asked.finding);
    case 'list':
      return showList(ask, asked);
    case 'sessions':
      return showSessions(ask);
    case 'connect':
      return offerConnect(ask);
    case 'disconnect':
      return offerDisconnect(ask);
    default:
      // The rest was answered with the ack.
      return;
  }
}
