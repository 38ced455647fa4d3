'use strict';

const { setTimeout: delay } = require('node:timers/promises');

const { account, recovery } = require('./account');
const { now } = require('./clock');
const { seeded } = require('./random');
const { OURS } = require('./sides');

/** How long all is well before the first outage and after the last one, in ms. */
const CALM = 400;
/** How long nodes may take to hear each other again, in ms: far beyond what is promised. */
const PATIENCE = 60_000;
/** The other side's, which is waited for each time. */
const OTHERS_PATIENCE = { quick: 5000, full: 10_000 };
/** How long a gap may be told after what it is about, in ms. */
const GAP_PATIENCE = 5000;
/** What the timeline puts together, in ms. */
const BIN = 100;

/** @typedef {import('./fleet').Fleet} Fleet */

/**
 * One kind of fault.
 * @typedef {object} Fault
 * @property {string} id
 * @property {string} title
 * @property {string} setup what it needs, by name in `setups.js`
 * @property {number} [limit] in ms: within that all is well again after each outage
 * @property {string} [note] for the report
 * @property {boolean} [fullOnly] left out of the short schedule
 * @property {{ quick: number, full: number }} times how often it happens
 * @property {(part: any) => Promise<void>} run
 */

/** @typedef {Awaited<ReturnType<typeof runFault>>} Result */

/**
 * Sends and receives while one kind of fault happens, and says what became of each message.
 * @param {Fault} fault
 * @param {{ fleets: Fleet[], close: () => Promise<void>, [more: string]: any }} setup `stored`, where messages are in
 *   Redis streams: which are in a side's one, of those added since a time
 * @param {{ seed: number, quick: boolean }} options
 */
async function runFault(fault, setup, { seed, quick }) {
  const { fleets } = setup;
  const before = await eachFleet(fleets, (fleet) => fleet.ask('memory'));
  /** When each began and was over. @type {{ begin: number, over: number }[]} */
  const outages = [];
  const outage = async (run) => {
    const begin = now();
    // Some say themselves since when Redis can be reached again.
    const over = (await run()) ?? now();
    outages.push({ begin, over });
    await eachFleet(fleets, (fleet) =>
      fleet.hears(over, fleet.side === OURS ? PATIENCE : OTHERS_PATIENCE[quick ? 'quick' : 'full']),
    );
  };
  const since = Date.now() - CALM;
  await eachFleet(fleets, (fleet) => fleet.ask('begin'));
  const begin = now();
  await delay(CALM);
  const times = quick ? fault.times.quick : fault.times.full;
  await fault.run({ ...setup, times, quick, outage, random: seeded(seed, fault.id) });
  await delay(CALM);
  // What follows an outage later, as a second look at the topology, is part of it.
  await eachFleet(fleets, (fleet) => fleet.hears(now(), CALM * 10));
  const end = now();
  await eachFleet(fleets, (fleet) => fleet.ask('end'));
  const answered = await eachFleet(fleets, async (fleet) => {
    await fleet.settles(CALM * 5);
    return fleet.answered(PATIENCE);
  });
  const journals = await eachFleet(fleets, told);
  const stored = await eachFleet(fleets, ({ side }) => setup.stored?.(side, since));
  const after = await eachFleet(fleets, (fleet) => fleet.ask('memory'));
  const sides = fleets.map(({ side }, index) => ({
    side,
    ...figures(journals[index], outages, { begin, end, stored: stored[index] }),
    answered: answered[index],
    rss: { before: Math.max(...before[index]), after: Math.max(...after[index]) },
  }));
  const { id, title, note, limit = 1000 } = fault;
  const shifted = outages.map((each) => ({ begin: each.begin - begin, over: each.over - begin }));
  return { id, title, note, limit, times, length: end - begin, outages: shifted, sides };
}

/** @template T @param {Fleet[]} fleets @param {(fleet: Fleet) => Promise<T>} ask @returns {Promise<T[]>} */
function eachFleet(fleets, ask) {
  return Promise.all(fleets.map(ask));
}

/** @param {Fleet} fleet @returns {Promise<Record<string, any>>} its journals, once all losses are told: gaps come a while later */
async function told(fleet) {
  const deadline = now() + (fleet.side === OURS ? GAP_PATIENCE : 0);
  for (;;) {
    const journals = await fleet.journals();
    if (account(journals).silent === 0 || now() > deadline) return journals;
    await delay(BIN);
  }
}

/** What one side's journals come to. */
function figures(journals, outages, { begin, end, stored }) {
  const bins = Array.from({ length: Math.ceil((end - begin) / BIN) + 1 }, () => ({ delivered: 0, told: 0, silent: 0 }));
  const each = (fate, sent) => {
    // Nodes end a while after they were asked to.
    bins[Math.min(Math.max(0, Math.floor((sent - begin) / BIN)), bins.length - 1)][fate] += 1;
  };
  const sum = account(journals, { each, stored });
  const recoveries = outages.map(({ over }, index) => recovery(journals, over, outages[index + 1]?.begin ?? Infinity));
  const all = Object.values(journals);
  const errors = {};
  for (const { errors: own } of all)
    for (const [code, count] of Object.entries(own)) errors[code] = (errors[code] ?? 0) + count;
  const total = (key) => all.reduce((sum, journal) => sum + (journal[key] ?? 0), 0);
  const sessions = { written: 0, refused: 0, unanswered: 0 };
  for (const { sessions: own } of all) for (const key of Object.keys(sessions)) sessions[key] += own[key];
  const gaps = all.reduce((sum, { gaps }) => sum + gaps.length, 0);
  return {
    ...sum,
    stored: stored?.size,
    bins,
    recoveries,
    errors,
    gaps,
    sessions,
    crashes: total('crashes'),
    malformed: total('malformed'),
    uncaught: all.flatMap(({ uncaught }) => uncaught).slice(0, 3),
  };
}

/**
 * What must not be, of our side.
 * @param {Result} result
 * @returns {string[]} in words
 */
function mistakes({ id, sides }) {
  const ours = sides.find(({ side }) => side === OURS);
  if (!ours) return [];
  const slowest = Math.max(0, ...ours.recoveries);
  const found = [
    ours.silent > 0 && `${ours.silent} lost silently: ${ours.examples.join(', ')}`,
    ours.withheld > 0 && `${ours.withheld} missing, though the stream has them: ${ours.examples.join(', ')}`,
    ours.disordered > 0 && `${ours.disordered} out of order: ${ours.examples.join(', ')}`,
    ours.duplicates > 0 && `${ours.duplicates} twice: ${ours.examples.join(', ')}`,
    ours.crashes > 0 && `${ours.crashes} uncaught: ${ours.uncaught.join(', ')}`,
    slowest === Infinity && 'not all was well again',
    !ours.answered && `${ours.sessions.unanswered} writes of session data have no answer`,
  ];
  return found.filter((each) => typeof each === 'string').map((text) => `${id}: ${text}`);
}

module.exports = { BIN, mistakes, runFault };
