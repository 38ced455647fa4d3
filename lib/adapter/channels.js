'use strict';

/** The one place that makes the names of a namespace's channels. Only the native side appends a room to one. */

/**
 * The channels of a namespace; their meanings stand with `Channels` in `src/adapter/channels.rs`.
 * @typedef {import('../native').NativeChannels} Channels
 */

/**
 * @param {string} key the option
 * @param {string} nsp the namespace's name
 * @param {string} uid what marks this server's messages
 * @returns {Channels}
 */
function channelsOf(key, nsp, uid) {
  const broadcasts = `${key}#${nsp}#`;
  const responses = `${key}-response#${nsp}#`;
  const nativeRequests = `${key}-native#${nsp}#`;
  return {
    broadcasts,
    allBroadcasts: `${literally(broadcasts)}*`,
    // A socket's id has 20 bytes.
    socketBroadcasts: `${literally(broadcasts)}${'?'.repeat(20)}#`,
    requests: `${key}-request#${nsp}#`,
    responses,
    ownResponses: channelOfServer(responses, uid),
    nativeRequests,
  };
}

/**
 * The channels of a namespace of the sharded adapter: of the namespace, of each server and of each room. Those
 * of all servers are one and the same, and there are no patterns.
 * @param {string} prefix the option
 * @param {string} nsp the namespace's name
 * @param {string} uid what marks this server's messages
 * @returns {Channels}
 */
function shardedChannelsOf(prefix, nsp, uid) {
  const channel = `${prefix}#${nsp}#`;
  return {
    broadcasts: channel,
    allBroadcasts: '',
    socketBroadcasts: '',
    requests: channel,
    responses: channel,
    ownResponses: channelOfServer(channel, uid),
    nativeRequests: `${prefix}-native#${nsp}#`,
  };
}

/**
 * The channel on which servers of this package tell each other that they are there.
 * @param {string} prefix the option `key` or `channelPrefix`
 */
function heartbeatChannel(prefix) {
  return `${prefix}-heartbeat`;
}

/**
 * The channel that belongs to one server, of those of one kind.
 * @param {string} channel
 * @param {string} uid
 */
function channelOfServer(channel, uid) {
  return `${channel}${uid}#`;
}

/**
 * The channel that connections with at least `rank` servers of this package are subscribed to.
 * @param {string} nativeRequests
 * @param {number} rank 1 or more
 */
function siblingChannel(nativeRequests, rank) {
  return `${nativeRequests}${rank}#`;
}

/**
 * The pattern of the channels of all servers, of those of one kind, and of nothing else.
 * @param {string} channel
 */
function patternOfServers(channel) {
  return `${literally(channel)}*#`;
}

/** A pattern that matches a text and nothing else. */
function literally(text) {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

/**
 * The uids in the names of channels that a pattern of servers has matched.
 * @param {string} channel of their kind
 * @param {string[]} found
 */
function uidsIn(channel, found) {
  const uids = found.map((name) => name.slice(channel.length, -1));
  return uids.filter((uid) => uid !== '' && !uid.includes('#'));
}

module.exports = {
  channelOfServer,
  channelsOf,
  heartbeatChannel,
  patternOfServers,
  shardedChannelsOf,
  siblingChannel,
  uidsIn,
};
