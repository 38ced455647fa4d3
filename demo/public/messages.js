/** What is said in the rooms, and who comes and goes. */

import { badge, colour } from './workers.js';

const KEPT_MESSAGES = 200;

const $ = (id) => document.getElementById(id);

function timeOf(at) {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

/** @param {any} said @param {string | undefined} myself whose messages are marked */
export function messageItem({ who, nick, text, at, worker }, myself) {
  const item = $('message-template').content.firstElementChild.cloneNode(true);
  item.style.setProperty('--worker', colour(worker));
  item.classList.toggle('mine', who === myself);
  item.querySelector('.avatar').textContent = [...nick][0].toUpperCase();
  item.querySelector('.nick-name').textContent = nick;
  item.querySelector('.badge').replaceWith(badge(worker));
  item.querySelector('time').textContent = timeOf(at);
  item.querySelector('time').dateTime = new Date(at).toISOString();
  item.querySelector('.text').textContent = text;
  return item;
}

/** @param {any} notice */
export function noticeItem({ kind, nick, before, worker, takenFrom }) {
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

/** @param {string} name of the room @param {HTMLElement} item */
export function addToLog(name, item) {
  const log = [...$('logs').children].find((known) => known.dataset.room === name);
  if (!log) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  log.append(item);
  if (log.children.length > KEPT_MESSAGES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** Marks a message as one that the page has missed and got later. @param {HTMLElement} item */
export function markCaughtUp(item) {
  const mark = document.createElement('span');
  mark.className = 'caught-up';
  mark.textContent = 'caught up';
  item.querySelector('.meta').append(mark);
}
