/** The chat: one connection, three rooms, and who you are. */

import { connect } from './connection.js';
import { badge, colour, showWorkers } from './workers.js';

const ROOMS = ['lobby', 'rust', 'node'];
const KEPT_MESSAGES = 200;
const SWITCHING = 4000; // ms
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

/** What the server has not confirmed yet: a worker that is killed takes it along. */
const pending = new Set();

function greet() {
  const id = connection.id();
  socket.emit('hello', { previous, nick: me?.nick, room }, (answer) => {
    greeted = previous = id;
    sessionStorage.setItem(KEY, id);
    me = answer;
    if (answer.takenFrom) showTakeover(answer.takenFrom);
    enterRoom(me.room);
    showMe();
    showConnection('connected', `connected to worker ${me.worker.index}`);
    pending.forEach(transmit);
  });
}

function send(event, value) {
  const action = { event, value };
  pending.add(action);
  // Without a greeting the server does not know whose this is: its answer sends it.
  if (greeted !== null && greeted === connection.id()) transmit(action);
}

function transmit(action) {
  // It must take an argument: without one, 0.9 confirms the arrival, not that it is done.
  socket.emit(action.event, action.value, (error) => {
    if (!error) pending.delete(action);
  });
}

socket.on('connect', greet);
socket.on('disconnect', () => {
  greeted = null; // a recovered client has the same id again
  showConnection('down', 'worker lost, reconnecting…');
});
connection.onRefused(() => showConnection('down', 'no connection'));
socket.on('said', (said) => {
  addToLog(said.room, messageItem(said));
  if (said.who === me?.who) {
    me.sent = said.sent;
    showMe();
  }
});
socket.on('notice', (notice) => {
  if (notice.who === me?.who && notice.kind === 'came') enterRoom(notice.room);
  if (notice.who === me?.who && notice.kind === 'renamed') {
    me.nick = notice.nick;
    showMe();
  }
  addToLog(notice.room, noticeItem(notice));
});
socket.on('figures', (reports) => {
  showWorkers($('workers'), reports, me);
  showLoad(reports);
});

// ----------------------------------------------------------------------- you

function showConnection(state, text) {
  $('connection').dataset.state = state;
  $('connection').textContent = text;
  for (const id of ['send', 'save-nick', 'kill', 'load', 'engine']) $(id).disabled = state !== 'connected';
}

function showMe() {
  if (document.activeElement !== $('nick')) $('nick').value = me.nick;
  $('my-worker').replaceChildren(badge(me.worker), ` pid ${me.worker.pid}`);
  $('transport').textContent = connection.transport() ?? '–';
  $('sent').textContent = me.sent;
  document.body.dataset.worker = me.worker.index;
}

function showTakeover(worker) {
  const line = $('takeover');
  line.replaceChildren('Session taken over from ', badge(worker), ` (pid ${worker.pid})`);
  line.hidden = false;
}

$('nick-form').addEventListener('submit', (event) => {
  event.preventDefault();
  $('nick').blur();
  send('nick', $('nick').value);
});

$('kill').addEventListener('click', () => socket.emit('kill my worker'));

// ---------------------------------------------------------------------- load

/** When a switch was turned here: what it asks for takes a moment. */
let turned = 0;

/** The switches follow the workers: another page may have turned them. */
function showLoad(reports) {
  const mine = reports.find(({ index }) => index === me?.worker.index);
  if (!mine || Date.now() - turned < SWITCHING) return;
  $('engine').checked = mine.load.engine === 'native';
  $('load').checked = reports.some(({ load }) => load.sockets > 0);
}

function turn(event, value) {
  turned = Date.now();
  socket.emit(event, value);
}

$('load').addEventListener('change', () => turn('load', $('load').checked));
$('engine').addEventListener('change', () => turn('engine', $('engine').checked ? 'native' : 'javascript'));

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

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  if ($('send').disabled) return; // Enter while there is no connection: keep the text
  send('say', $('text').value);
  $('text').value = '';
});

// ------------------------------------------------------------------ messages

function timeOf(at) {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

function messageItem({ who, nick, text, at, worker }) {
  const item = $('message-template').content.firstElementChild.cloneNode(true);
  item.style.setProperty('--worker', colour(worker));
  item.classList.toggle('mine', who === me?.who);
  item.querySelector('.avatar').textContent = [...nick][0].toUpperCase();
  item.querySelector('.nick-name').textContent = nick;
  item.querySelector('.badge').replaceWith(badge(worker));
  item.querySelector('time').textContent = timeOf(at);
  item.querySelector('time').dateTime = new Date(at).toISOString();
  item.querySelector('.text').textContent = text;
  return item;
}

function noticeItem({ kind, nick, before, worker, takenFrom }) {
  const item = document.createElement('li');
  item.className = 'notice';
  const words = {
    came: [nick, ' came in on ', badge(worker)],
    left: [nick, ' left'],
    renamed: [before, ' is now ', nick],
    back: [nick, ' is back: session taken over from ', takenFrom && badge(takenFrom), ' by ', badge(worker)],
  };
  item.append(...(words[kind] ?? []));
  return item;
}

function addToLog(name, item) {
  const log = [...$('logs').children].find((known) => known.dataset.room === name);
  if (!log) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  log.append(item);
  if (log.children.length > KEPT_MESSAGES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

buildRooms();
enterRoom(room);
