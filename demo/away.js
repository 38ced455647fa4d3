'use strict';

const GONE = new Set(['reconnecting', 'closed']);
const AWAY = new Set([...GONE, 'stalled']);

/** @typedef {Record<string, { state: string }>} Connections those of `stats()` */

/** @param {Connections} connections @returns {boolean} whether Redis, which was there, is not connected now */
const isGone = ({ pub, sub }) => GONE.has(pub.state) || GONE.has(sub.state);

/** @param {Connections} connections @returns {boolean} whether it is gone, or has not answered for a while */
const isAway = ({ pub, sub }) => AWAY.has(pub.state) || AWAY.has(sub.state);

module.exports = { isAway, isGone };
