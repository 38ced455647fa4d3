/** The chat: one connection, three rooms, and who you are. */

import { Composer } from './composer.js';
import { connect } from './connection.js';
import { addToLog, markCaughtUp, messageItem, noticeItem } from './messages.js';
import { openPanels, showRedis } from './panels.js';
import { badge, showWorkers } from './workers.js';

const ROOMS = ['lobby', 'rust', 'node'];
const KEY = 'previous client id';

const $ = (id) => document.getElementById(id);

/** @type {null | { who: string, nick: string, room: string, sent: number, worker: object }} */
let me = null;
let room = ROOMS[0];

// ------------------------------------------------------------------- session

/**
 * The client id of the session before this one. It survives a reload, but is not
 * handed to a duplicated tab: that would take the session from a living page.
 */
const [navigation] = performance.getEntriesByType('navigation');
let previous = navigation?.type === 'reload' ? sessionStorage.getItem(KEY) : null;

const connection = connect();
const { socket } = connection;

/** The client id that the server has greeted us under. @type {string | null} */
let greeted = null;

/** What arrived before the greeting: of it, what was said before the connection was missed. @type {any[]} */
let early = [];

/** What the server has not confirmed yet: a worker that is killed takes it along. */
const pending = new Set();

function greet() {
  const id = connection.id();
  socket.emit('hello', { previous, nick: me?.nick, room }, (answer) => {
    greeted = previous = id;
    sessionStorage.setItem(KEY, id);
    me = answer;
    if (answer.takenFrom) showTakeover(answer);
    early = [];
    enterRoom(me.room);
    showMe();
    showConnection();
    pending.forEach(transmit);
  });
}

function send(event, value) {
  const action = { event, value };
  pending.add(action);
  // Without a greeting the server does not know whose this is: its answer sends it.
  if (isGreeted()) transmit(action);
}

function transmit(action) {
  // It must take an argument: without one, 0.9 confirms the arrival, not that it is done.
  socket.emit(action.event, action.value, (error) => {
    pending.delete(action);
    if (!error) return;
    composer.explain(`Not done: ${error.message}`);
    showMe();
    enterRoom(me.room);
  });
}

const isGreeted = () => greeted !== null && greeted === connection.id();

const composer = new Composer((text, done) => {
  if (!isGreeted()) return false;
  socket.emit('say', text, (error) => done(error));
  return true;
});
const showPanels = openPanels((event, value) => socket.emit(event, value));

socket.on('connect', greet);
socket.on('disconnect', () => {
  early = []; // what was missed comes before `connect`
  greeted = null; // a recovered client has the same id again
  composer.disconnected();
  showConnection('worker lost, reconnecting…');
});
connection.onRefused(() => showConnection('no connection'));
socket.on('said', (said) => {
  const item = messageItem(said, me?.who);
  addToLog(said.room, item);
  if (greeted === null) early.push({ said, item });
  if (said.who !== me?.who) return;
  composer.arrived(said.text);
  me.sent = said.sent;
  showMe();
});
socket.on('notice', (notice) => {
  if (notice.who === me?.who && notice.kind === 'came') {
    me.room = notice.room;
    enterRoom(me.room);
  }
  if (notice.who === me?.who && notice.kind === 'renamed') {
    me.nick = notice.nick;
    showMe();
  }
  addToLog(notice.room, noticeItem(notice));
});
socket.on('board', (board) => {
  isAway = board.workers.find(({ index }) => index === me?.worker.index)?.away ?? isAway;
  showConnection();
  showWorkers($('workers'), board, me);
  showRedis(board.redis, isAway);
  showPanels(board);
});

// ----------------------------------------------------------------------- you

/** Whether our worker does without Redis. */
let isAway = false;

/** @param {string} [trouble] why there is no connection, where there is none */
function showConnection(trouble) {
  const index = me?.worker.index;
  const [state, text] = trouble
    ? ['down', trouble]
    : isAway
      ? ['away', `worker ${index}; Redis is away`]
      : ['connected', `connected to worker ${index}`];
  const pill = $('connection');
  pill.dataset.state = state;
  if (pill.textContent !== text) pill.textContent = text; // it is read out when it changes
  for (const id of ['save-nick', 'kill', 'flood', 'engine', 'redis']) $(id).disabled = trouble !== undefined;
}

function showMe() {
  if (document.activeElement !== $('nick')) $('nick').value = me.nick;
  $('my-worker').replaceChildren(badge(me.worker), ` pid ${me.worker.pid}`);
  $('transport').textContent = connection.transport() ?? '–';
  $('sent').textContent = me.sent;
  document.body.dataset.worker = me.worker.index;
}

function showTakeover({ takenFrom, worker, connectedAt }) {
  const missed = early.filter(({ said }) => said.at <= connectedAt);
  const line = $('takeover');
  line.replaceChildren('Session taken over from ', badge(takenFrom), ` (pid ${takenFrom.pid})`);
  line.hidden = false;
  if (missed.length === 0) return;
  for (const { item } of missed) markCaughtUp(item);
  const count = document.createElement('span');
  count.id = 'caught-up';
  count.append(`${missed.length} ${missed.length === 1 ? 'message' : 'messages'} caught up, on `, badge(worker));
  line.append(document.createElement('br'), count);
}

$('nick-form').addEventListener('submit', (event) => {
  event.preventDefault();
  $('nick').blur();
  send('nick', $('nick').value);
});

$('kill').addEventListener('click', () => socket.emit('kill my worker'));

// --------------------------------------------------------------------- rooms

function buildRooms() {
  for (const name of ROOMS) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = `#${name}`;
    button.dataset.room = name;
    button.addEventListener('click', () => {
      enterRoom(name);
      send('room', name);
    });
    $('rooms').append(button);
    const log = document.createElement('ol');
    log.className = 'log';
    log.dataset.room = name;
    log.tabIndex = 0;
    log.setAttribute('role', 'log');
    log.setAttribute('aria-label', `Messages in #${name}`);
    $('logs').append(log);
  }
}

function enterRoom(name) {
  room = name;
  for (const button of $('rooms').children) button.setAttribute('aria-pressed', String(button.dataset.room === name));
  for (const log of $('logs').children) log.hidden = log.dataset.room !== name;
  $('text').placeholder = `Write to #${name}`;
}

buildRooms();
enterRoom(room);
