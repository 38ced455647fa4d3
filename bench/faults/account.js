'use strict';

/**
 * What became of each message, from the journals of all nodes: each message is expected once at every node but its
 * own. One that did not come is told as lost where a gap says so; else it is lost silently. One that a Redis stream
 * still has must come, whatever is told.
 */

/** Gaps are in whole ms, of a clock beside the one that messages are timed with. */
const TOLERANCE = 2;

/** How many examples there are of each thing that is wrong. */
const EXAMPLES = 5;

/** What carries a stream. @type {Record<string, string>} */
const BACKPLANES = { broadcast: 'adapter', join: 'adapter', store: 'store' };

/** @typedef {import('./journal').Journal} Journal */
/** @typedef {import('./journal').Gap} Gap */

/**
 * @typedef {object} Account
 * @property {number} sent messages
 * @property {number} expected deliveries: each message at each other node
 * @property {number} delivered
 * @property {number} told deliveries that gaps account for
 * @property {number} silent deliveries lost without a word
 * @property {number} disordered deliveries after one with a higher number
 * @property {number} duplicates
 * @property {number} withheld deliveries that were lost, told or not, though the stream has the message
 * @property {string[]} examples of what is lost silently, withheld, out of order or a duplicate
 */

/**
 * @param {Record<string, Journal>} journals by node
 * @param {object} [more]
 * @param {(fate: 'delivered' | 'told' | 'silent', sent: number) => void} [more.each] called for each delivery
 * @param {Set<string>} [more.stored] what a Redis stream has at the end: see `nameOf`
 * @returns {Account}
 */
function account(journals, { each = () => {}, stored = new Set() } = {}) {
  const counts = { sent: 0, expected: 0, delivered: 0, told: 0, silent: 0, disordered: 0, duplicates: 0, withheld: 0 };
  const sum = { ...counts, examples: [] };
  for (const [sender, { sent, gaps }] of Object.entries(journals)) {
    /** What its own gaps account for, and which messages those were. */
    const budgets = gaps.filter(({ connection }) => connection === 'pub').map((gap) => ({ ...gap, who: new Set() }));
    for (const [stream, times] of Object.entries(sent)) {
      sum.sent += times.length;
      const own = budgets.filter(({ backplane }) => backplane === BACKPLANES[stream]);
      const published = publishedBy(journals, sender, stream, times);
      for (const [receiver, journal] of Object.entries(journals)) {
        if (receiver !== sender)
          addPair(sum, { sender, receiver, stream, times, published, own, journal, each, stored });
      }
    }
  }
  return sum;
}

function addPair(sum, { sender, receiver, stream, times, published, own, journal, each, stored }) {
  const { numbers, at } = journal.received[stream]?.[sender] ?? { numbers: [], at: [] };
  const note = (what, number, time) => {
    const alike = sum.examples.filter((each) => each.includes(what)).length;
    if (alike < EXAMPLES) sum.examples.push(`${stream} ${number} of ${sender} to ${receiver} ${what} ${time}`);
  };
  sum.expected += times.length;
  const seen = new Set();
  let highest = -1;
  for (const [index, number] of numbers.entries()) {
    if (seen.has(number) || number < highest) {
      sum[seen.has(number) ? 'duplicates' : 'disordered'] += 1;
      note(seen.has(number) ? 'came again at' : 'came behind a later one at', number, `${at[index]} (${highest})`);
    }
    seen.add(number);
    highest = Math.max(highest, number);
  }
  const gaps = journal.gaps.filter(
    ({ backplane, connection }) => backplane === BACKPLANES[stream] && connection === 'sub',
  );
  for (const [number, time] of times.entries()) {
    const isTold = () => told(`${stream} ${number}`, [time, published[number]], gaps, own);
    const fate = seen.has(number) ? 'delivered' : isTold() ? 'told' : 'silent';
    sum[fate] += 1;
    each(fate, time);
    const isWithheld = fate !== 'delivered' && stored.has(nameOf(stream, sender, number, time));
    if (isWithheld) sum.withheld += 1;
    if (isWithheld) note('did not come though it is in the stream, sent at', number, time);
    else if (fate === 'silent') note('did not come, sent at', number, time);
  }
}

/**
 * What tells a message from all others of a run.
 * @param {string} stream
 * @param {string} sender
 * @param {number | string} number
 * @param {number | string} sent when, as its sender wrote it down
 * @returns {string}
 */
function nameOf(stream, sender, number, sent) {
  return [stream, sender, number, sent].join(' ');
}

/**
 * Until when each message was published at the latest: a stream is published in order, so it was before it, or a later
 * one, came anywhere.
 * @returns {number[]} the time it was sent where none came
 */
function publishedBy(journals, sender, stream, times) {
  const came = times.map(() => Infinity);
  for (const { received } of Object.values(journals)) {
    const { numbers, at } = received[stream]?.[sender] ?? { numbers: [], at: [] };
    for (const [index, number] of numbers.entries()) came[number] = Math.min(came[number], at[index]);
  }
  for (let number = came.length - 2; number >= 0; number--) came[number] = Math.min(came[number], came[number + 1]);
  return came.map((at, number) => (at === Infinity ? times[number] : at));
}

/**
 * @param {string} message its stream and number
 * @param {[number, number]} times when it was sent, and until when it was published
 * @param {Gap[]} gaps of the receiver
 * @param {(Gap & { who: Set<string> })[]} own gaps of the sender; each accounts for as many messages as it counts
 */
function told(message, [time, published], gaps, own) {
  let left = published;
  for (const gap of own) {
    if (!within(time, gap)) continue;
    if (gap.who.has(message)) return true;
    if (gap.who.size < gap.lost) {
      gap.who.add(message);
      return true;
    }
    // It waited in the sender's queue until then.
    left = Math.max(left, gap.to);
  }
  return gaps.some((gap) => time <= gap.to + TOLERANCE && left >= gap.from - TOLERANCE);
}

/** @param {number} time @param {Gap} gap */
function within(time, { from, to }) {
  return time >= from - TOLERANCE && time <= to + TOLERANCE;
}

/**
 * When all was well again after an outage: each node has from each other one a message that was sent after it was
 * `over`, and nothing from then on is missing.
 * @param {Record<string, Journal>} journals
 * @param {number} over
 * @param {number} until when the next outage began
 * @returns {number} ms after `over`; Infinity where it was not
 */
function recovery(journals, over, until) {
  let last = over;
  for (const [receiver, { received }] of Object.entries(journals)) {
    for (const [sender, { sent }] of Object.entries(journals)) {
      if (sender === receiver) continue;
      for (const [stream, times] of Object.entries(sent)) {
        last = Math.max(last, whole(received[stream]?.[sender], times, over, until));
      }
    }
  }
  return last - over;
}

/** When one stream was whole again: the arrival of its first message behind the last one that is missing. */
function whole(log, times, over, until) {
  const arrivals = new Map(log?.numbers.map((number, index) => [number, log.at[index]]));
  const sent = [...times.keys()].filter((number) => times[number] >= over && times[number] < until);
  // What was under way when the next outage began is lost to that one.
  if (until < Infinity) while (sent.length > 0 && !arrivals.has(sent[sent.length - 1])) sent.pop();
  const first = sent.findLastIndex((number) => !arrivals.has(number)) + 1;
  return arrivals.get(sent[first]) ?? Infinity;
}

module.exports = { account, nameOf, recovery };
