'use strict';

const AWAY = new Set(['reconnecting', 'stalled', 'closed']);

/**
 * @param {Record<string, { state: string }>} connections those of `stats()`
 * @returns {boolean} whether Redis, which was there, is not there now
 */
function isAway({ pub, sub }) {
  return AWAY.has(pub.state) || AWAY.has(sub.state);
}

module.exports = { isAway };
