/** The panel of live figures, one card per worker. */

import { ceiling, linePath } from './chart.js';
import { isAdapter } from './connection.js';

const SAMPLES = 40;
const SPARK = { width: 120, height: 30 };
const LEAST = 10; // a second: the range is never smaller

/** What each count is called, in the order in which they stand. */
const COUNTS = {
  published: 'published',
  received: 'received',
  delivered: 'to JavaScript',
  ...(isAdapter && { native: 'written natively' }),
  filtered: 'filtered',
  lost: 'lost',
};

/** The rates that the sparklines show, by worker number. @type {Map<number, number[]>} */
const histories = new Map();

export function colour(worker) {
  return `var(--worker-${worker.index})`;
}

/** A small label in the worker's colour; the number says the same without colours. */
export function badge(worker) {
  const label = document.createElement('span');
  label.className = 'badge';
  label.style.setProperty('--worker', colour(worker));
  label.textContent = `worker ${worker.index}`;
  return label;
}

/**
 * @param {HTMLElement} panel
 * @param {any} board
 * @param {{ who: string } | null} me
 */
export function showWorkers(panel, { workers, totals }, me) {
  for (const worker of workers) {
    const known = [...panel.children].find((card) => Number(card.dataset.index) === worker.index);
    const card = known ?? newCard(worker);
    if (!known) {
      const after = [...panel.children].find((other) => Number(other.dataset.index) > worker.index);
      panel.insertBefore(card, after ?? null);
    }
    card.classList.toggle('starting', worker.starting === true);
    if (worker.starting) emptyCard(card);
    else fillCard(card, worker, me);
  }
  fillCounts(document.getElementById('totals'), totals);
}

function newCard(worker) {
  const card = document.getElementById('worker-template').content.firstElementChild.cloneNode(true);
  card.dataset.index = worker.index;
  card.style.setProperty('--worker', colour(worker));
  card.querySelector('.badge').textContent = `worker ${worker.index}`;
  return card;
}

/** What is known of a worker that is gone is not true any more. */
function emptyCard(card) {
  delete card.dataset.pid;
  histories.delete(Number(card.dataset.index));
  card.classList.remove('mine');
  card.querySelector('.pid').textContent = 'starting…';
  for (const selector of ['.links', '.counts', '.people', '.engine', '.trouble', '.spark-label']) {
    card.querySelector(selector).replaceChildren();
  }
  for (const path of card.querySelectorAll('.spark path')) path.removeAttribute('d');
  card.querySelector('.spark').removeAttribute('aria-label');
}

function fillCard(card, worker, me) {
  card.classList.toggle('mine', worker.index === me?.worker.index);
  card.dataset.pid = worker.pid;
  card.dataset.engine = worker.engine;
  card.querySelector('.pid').textContent = `pid ${worker.pid}`;
  fillLinks(card.querySelector('.links'), worker.connections);
  fillCounts(card.querySelector('.counts'), worker.counts);
  const samples = [...(histories.get(worker.index) ?? []), worker.received].slice(-SAMPLES);
  histories.set(worker.index, samples);
  drawSpark(card, samples);
  card.querySelector('.engine').textContent = engineOf(worker);
  card.querySelector('.trouble').textContent = trouble(worker);
  fillPeople(card.querySelector('.people'), worker.people, me);
}

/** @param {HTMLElement} list @param {Record<string, number>} counts */
function fillCounts(list, counts) {
  list.replaceChildren(
    ...Object.entries(COUNTS)
      .filter(([name]) => counts[name] > 0 || name !== 'lost')
      .map(([name, words]) => {
        const pair = document.createElement('div');
        const term = document.createElement('dt');
        term.textContent = words;
        const value = document.createElement('dd');
        value.dataset.figure = name;
        value.textContent = counts[name].toLocaleString('en');
        pair.append(term, value);
        return pair;
      }),
  );
}

function engineOf({ engine, busy, sockets }) {
  const writer = engine === 'native' ? 'native WebSockets' : 'JavaScript WebSockets';
  const flood = sockets > 0 ? `, ${sockets} flooded clients` : '';
  return `${writer}, main thread ${(busy * 100).toFixed(0)} % busy${flood}`;
}

function fillLinks(list, connections) {
  list.replaceChildren(
    ...connections.map(({ name, state }) => {
      const item = document.createElement('li');
      item.dataset.state = state;
      item.title = `connection to Redis: ${name}, ${state}`;
      item.textContent = name;
      const words = document.createElement('span');
      words.className = 'hidden';
      words.textContent = ` ${state}`;
      item.append(words);
      return item;
    }),
  );
}

/** What is worth a warning, or nothing. */
function trouble({ away, queued, generation }) {
  return [away && 'Redis is away', queued > 0 && `${queued} waiting`, generation > 1 && `replaced ${generation - 1}×`]
    .filter(Boolean)
    .join(' · ');
}

function drawSpark(card, samples) {
  const { width, height } = SPARK;
  const top = ceiling(samples, LEAST);
  const line = linePath(samples, SAMPLES, top, SPARK);
  const left = width - ((samples.length - 1) * width) / (SAMPLES - 1);
  card.querySelector('.spark .line').setAttribute('d', line);
  const area = samples.length > 1 ? `${line.replace('h0', '')}L${width},${height}L${left.toFixed(1)},${height}Z` : '';
  card.querySelector('.spark .area').setAttribute('d', area);
  const now = `${samples.at(-1).toFixed(samples.at(-1) < 10 ? 1 : 0)}/s`;
  card.querySelector('.spark').setAttribute('aria-label', `received a second, now ${now}`);
  card.querySelector('.spark-label').textContent = `received: ${now} · 0 to ${top}/s · last ${SAMPLES} s`;
}

function fillPeople(list, people, me) {
  list.replaceChildren(
    ...people.map(({ who, nick, room }) => {
      const item = document.createElement('li');
      const where = document.createElement('span');
      where.textContent = ` #${room}`;
      item.append(who === me?.who ? `${nick} (you)` : nick, where);
      return item;
    }),
  );
  if (people.length === 0) {
    const nobody = document.createElement('li');
    nobody.className = 'nobody';
    nobody.textContent = 'nobody here';
    list.append(nobody);
  }
}
