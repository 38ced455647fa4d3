'use strict';

const { nameOf } = require('./account');
const { PREFIXES } = require('./sides');

/** How many entries are asked for at once. */
const PAGE = 1000;
/** Types of messages in a stream, as socket.io-adapter numbers them. */
const [BROADCAST, SOCKETS_JOIN] = ['3', '4'];

/**
 * The messages in a side's stream.
 * @param {{ command: (...args: any[]) => Promise<any> }} server
 * @param {string} side
 * @param {number} since in ms of the server's clock: those that were added then or later
 * @returns {Promise<Set<string>>} by their names: see `nameOf`
 */
async function storedOn(server, side, since) {
  const names = new Set();
  for (let start = `${since}-0`; ;) {
    const page = await server.command('XRANGE', PREFIXES[side], start, '+', 'COUNT', PAGE);
    for (const [, fields] of page) {
      const name = nameIn(fields);
      if (name) names.add(name);
    }
    if (page.length < PAGE) return names;
    const [ms, number] = page[PAGE - 1][0].split('-');
    start = `${ms}-${Number(number) + 1}`;
  }
}

/** @param {string[]} fields names and values in turn */
function nameIn(fields) {
  const value = (name) => fields[fields.indexOf(name) + 1];
  if (![BROADCAST, SOCKETS_JOIN].includes(value('type'))) return undefined;
  const { packet, rooms } = JSON.parse(value('data'));
  const isBroadcast = value('type') === BROADCAST;
  const [, sender, number, sent] = isBroadcast ? packet.data : rooms[0].split(':');
  return nameOf(isBroadcast ? 'broadcast' : 'join', sender, number, sent);
}

module.exports = { storedOn };
