import { startBoard } from './board.js';
import { toast } from './dom.js';
import { redrawIssue, startIssue } from './issue.js';

// Reads what the address asks for, shows it, and follows the changes that the server tells of.

const main = document.getElementById('main');
const { project, issue } = document.body.dataset;
let refresh = async () => true;
let stale = false;

async function start() {
  if (issue) await startIssue(main, issue);
  else refresh = await startBoard(main, project);
  main.dataset.ready = 'true';
  const events = new EventSource('/sandbox/board/events');
  events.addEventListener('message', update);
  // After a break the server may have changed without telling.
  events.addEventListener('open', update);
  // What could not be drawn under an open menu or dialog is drawn after it.
  setInterval(() => stale && update(), 500);
}

let running = false;

async function update() {
  stale = true;
  if (running) return;
  running = true;
  try {
    while (stale) {
      stale = false;
      await redrawIssue();
      if (!(await refresh())) {
        stale = true;
        break;
      }
    }
  } catch {
    stale = true;
  }
  running = false;
}

start().catch((error) => toast(error.message, { bad: true }));
