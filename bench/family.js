'use strict';

const { CPU } = require('./details');

/** @typedef {import('./stores').Family} Family */

/**
 * An implementation of this package beside an official one, which runs on two clients.
 * @param {object} what
 * @param {string} what.name of the results' files
 * @param {string} what.ours
 * @param {string} what.head of our column
 * @param {string} what.better what is better, in the title
 * @param {[string, string]} what.incumbents on `redis` 6 and on ioredis 6
 * @param {string} what.official what these are, in words
 * @param {string} [what.short] the same in a column's head
 * @param {Family['details']} [what.more] details
 * @returns {Family}
 */
function besideOfficial({ name, ours, head, better, incumbents, official, short = official, more = [] }) {
  const [onRedis, onIoredis] = incumbents;
  return {
    implementations: [...incumbents, ours],
    ours,
    columns: { [`${short}, redis 6`]: onRedis, [`${short}, ioredis 6`]: onIoredis, [head]: ours },
    comparisons: [{ head: 'ratio', incumbents, against: `the faster of ${official} on redis 6 and on ioredis 6` }],
    details: [CPU, { head: 'peak RSS MB', figure: 'peak', bytes: true }, ...more],
    title: `How many times better ${better} than`,
    name,
  };
}

module.exports = { besideOfficial };
