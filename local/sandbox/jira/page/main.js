import { startBoard } from './board.js';
import { toast } from './dom.js';
import { redrawIssue, startIssue } from './issue.js';

// Reads what the address asks for, shows it, and follows the changes that the server tells of.

const main = document.getElementById('main');
const { project, issue } = document.body.dataset;
let refreshBoard = async () => true;
let running = false;
const stale = { issue: false, board: false };

async function start() {
  if (issue) await startIssue(main, issue);
  else refreshBoard = await startBoard(main, project);
  main.dataset.ready = 'true';
  const events = new EventSource('/sandbox/board/events');
  events.addEventListener('message', changed);
  // What changed before the server could tell, at first and after a break, is read again.
  events.addEventListener('open', changed);
  // A board that could not be drawn under an open menu or dialog is drawn after it.
  setInterval(() => stale.board && update(), 500);
}

function changed() {
  stale.issue = true;
  stale.board = true;
  update();
}

async function update() {
  if (running) return;
  running = true;
  try {
    if (stale.issue) {
      stale.issue = false;
      await redrawIssue();
    }
    if (stale.board) {
      stale.board = false;
      stale.board = !(await refreshBoard()) || stale.board;
    }
  } catch {
    stale.board = true;
  }
  // Many changes at once are drawn together.
  await new Promise((resolve) => setTimeout(resolve, 100));
  running = false;
  if (stale.issue) update();
}

start().catch((error) => toast(error.message, { bad: true }));
