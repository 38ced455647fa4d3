'use strict';

const { siblingChannel } = require('./channels');

/**
 * The servers that share connections (one factory for `http` and `https`, say) and have the same channels:
 * Redis sees one subscriber. By connections and channel of requests, what ends each.
 * @type {WeakMap<object, Map<string, (() => void)[]>>}
 */
const shared = new WeakMap();

/**
 * Counts one server more: its connection subscribes to one channel of siblings more. Which server it was
 * that came or left does not matter.
 * @param {object} backplane the connections
 * @param {{ mark(channel: string): void, unmark(channel: string): void }} native
 * @param {import('./channels').Channels} channels
 * @returns {() => void} to be called once, when a server with these channels leaves
 */
function addSibling(backplane, native, { requests, nativeRequests }) {
  const byChannel = shared.get(backplane) ?? new Map();
  shared.set(backplane, byChannel);
  const siblings = byChannel.get(requests) ?? [];
  byChannel.set(requests, siblings);
  const channel = siblingChannel(nativeRequests, siblings.length + 1);
  native.mark(channel);
  siblings.push(() => native.unmark(channel));
  return () => {
    siblings.pop()?.();
    if (siblings.length === 0 && byChannel.get(requests) === siblings) byChannel.delete(requests);
  };
}

module.exports = { addSibling };
