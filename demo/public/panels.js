/** What one may do to the cluster, and what came of it: the flood, the engine of the WebSockets, and Redis. */

import { Chart } from './chart.js';
import { isAdapter } from './connection.js';
import { badge } from './workers.js';

const $ = (id) => document.getElementById(id);

const NAMES = isAdapter
  ? { native: 'with WebSocketServer', javascript: 'without (JavaScript)' }
  : { native: 'with store.engine(io)', javascript: 'without (JavaScript)' };

/** @param {(event: string, value: unknown) => void} ask asks the worker for something */
export function openPanels(ask) {
  const charts = {
    microseconds: new Chart($('microseconds'), {
      title: 'Main thread a message',
      unit: 'µs',
      least: 5,
      names: NAMES,
    }),
    delay: new Chart($('delay'), { title: 'Event-loop delay, 99th percentile', unit: 'ms', least: 5, names: NAMES }),
  };
  let shown = 0;
  let isUp = true;

  $('flood').addEventListener('click', () => ask('load', $('flood').dataset.on !== 'true'));
  $('engine').addEventListener('change', () => ask('engine', $('engine').value));
  $('redis').addEventListener('click', () => ask('redis', !isUp));

  /** @param {any} board */
  return function showPanels({ cost, gaps, redis, flood, engine }) {
    for (const [name, chart] of Object.entries(charts)) {
      chart.add({ native: cost.native[name], javascript: cost.javascript[name] });
    }
    $('flood').dataset.on = String(flood);
    $('flood').textContent = flood ? 'Stop the flood' : 'Flood a room';
    if (document.activeElement !== $('engine')) $('engine').value = engine;
    isUp = redis.up;
    $('redis').hidden = !redis.own;
    $('redis').textContent = isUp ? 'Kill Redis' : 'Start Redis';
    $('redis').classList.toggle('danger', isUp);
    for (const gap of gaps.filter(({ number }) => number > shown)) {
      $('gaps').prepend(gapItem(gap));
      shown = gap.number;
    }
    while ($('gaps').children.length > 12) $('gaps').lastElementChild.remove();
  };
}

/** @param {{ own: boolean, up: boolean }} redis @param {boolean} away whether this page's worker does without */
export function showRedis(redis, away) {
  $('redis-state').dataset.state = redis.up && !away ? 'up' : 'away';
  const whose = redis.own ? 'of this demo' : 'of REDIS_URL';
  $('redis-state').textContent = redis.up
    ? away
      ? `The Redis ${whose} is there; the workers are not connected to it.`
      : `The Redis ${whose} is there.`
    : `The Redis ${whose} is killed. Messages are not taken, since others would not get them.`;
}

function gapItem({ index, at, connection, duration, dropped, unconfirmed, stream, waited }) {
  const item = document.createElement('li');
  const seconds = `${(duration / 1000).toFixed(1)} s`;
  const words = {
    pub: `${seconds} without publishing.`,
    cmd: `${seconds} without session data.`,
    sub: stream
      ? `${seconds} in which Redis has dropped messages that were not read: they are lost.`
      : `${seconds} without hearing from others: what they said then came late, or is lost.`,
  };
  const counts = [
    waited > 0 && `${waited} waited here and came late`,
    dropped > 0 && `${dropped} were lost`,
    unconfirmed > 0 && `${unconfirmed} may be lost`,
  ].filter(Boolean);
  const time = document.createElement('time');
  time.dateTime = new Date(at).toISOString();
  time.textContent = new Date(at).toLocaleTimeString();
  item.append(
    time,
    ' ',
    badge({ index }),
    ` ${words[connection]}${counts.length ? ` Own messages: ${counts.join(', ')}.` : ''}`,
  );
  return item;
}
