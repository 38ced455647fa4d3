'use strict';

const { inspect } = require('node:util');

/** How many differences a report shows, and how much of each frame. */
const SHOWN = 10;
const WIDTH = 300;

/** @typedef {import('./four-servers').Outcome} Outcome */

/**
 * What differs between what came of the official sender and of ours. What an official receiver gets from
 * an official sender is what every receiver has to get.
 * @param {Outcome} official
 * @param {Outcome} native
 * @returns {string[]} who got something else, and what
 */
function differences(official, native) {
  const reference = official.official;
  return [
    ...difference('official → native', official.native, reference),
    ...difference('native → official', native.official, reference),
    ...difference('native → native', native.native, reference),
    ...difference('local clients', native.local, official.local),
  ];
}

/** @param {string} who @param {string[][]} actual @param {string[][]} expected one list for each client */
function difference(who, actual, expected) {
  return expected.flatMap((frames, i) => {
    if (frames.length === actual[i].length && frames.every((frame, at) => frame === actual[i][at])) return [];
    return [`  ${who}, client ${i}:\n    official ${shown(frames)}\n    native   ${shown(actual[i])}`];
  });
}

/** @param {string[]} frames */
function shown(frames) {
  return frames.map((frame) => inspect(frame, { maxStringLength: WIDTH })).join(' + ') || 'nothing';
}

/**
 * @param {import('./four-servers').Case[]} cases
 * @param {Outcome[]} official
 * @param {Outcome[]} native
 * @returns {string | null} a report, if anything differs
 */
function report(cases, official, native) {
  const found = cases.flatMap((what, i) => {
    const different = differences(official[i], native[i]);
    if (different.length === 0) return [];
    const shownCase = inspect(what, { depth: 8, maxStringLength: WIDTH, maxArrayLength: 20 });
    return [`case ${i}: ${shownCase}\n${different.join('\n')}`];
  });
  if (found.length === 0) return null;
  return `${found.length} of ${cases.length} cases differ\n${found.slice(0, SHOWN).join('\n')}`;
}

module.exports = { differences, report };
