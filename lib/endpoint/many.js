'use strict';

/* Endpoints that stand for many servers: a cluster, or what Sentinels name. */

const { optionError } = require('../errors');

/** @typedef {import('.').Endpoint} Endpoint */
/** @typedef {import('.').Address} Address */

/** What an endpoint of one server says of many. */
const ONE_SERVER = Object.freeze({ sentinel: null, cluster: null, addressMap: null });

/**
 * The cluster of some of its nodes. How to enter them is said for all, or at each of them; it must come to
 * the same.
 *
 * @param {string} option the option's name, for errors
 * @param {Endpoint} common what is said for all; where it leads does not matter
 * @param {string} nodesOption the name of the option that lists the nodes
 * @param {Endpoint[]} nodes at least one
 * @param {Endpoint['addressMap']} addressMap
 * @returns {Endpoint}
 */
function clusterOf(option, common, nodesOption, nodes, addressMap) {
  const entered = nodes.map((node) => enteredLike(common, node));
  const [first] = entered;
  entered.forEach((node, index) => {
    const place = `${nodesOption}[${index}]`;
    if (node.path !== null) throw optionError(place, 'a node of a cluster has a host and a port, and no path.');
    if (entering(node) !== entering(first)) {
      throw optionError(
        place,
        'all nodes of a cluster are entered in the same way: give each the same user, password and TLS.',
      );
    }
  });
  if (common.db !== 0 || nodes.some(({ db }) => db !== 0)) {
    throw optionError(option, 'a cluster has only database 0; leave the number out.');
  }
  return { ...first, cluster: { nodes: nodes.map(addressOf) }, addressMap };
}

/**
 * @param {Endpoint} common
 * @param {Endpoint} node its user, password and name beat those for all
 * @returns {Endpoint}
 */
function enteredLike(common, node) {
  const { username, password } = node.username === null && node.password === null ? common : node;
  return {
    ...common,
    ...addressOf(node),
    path: node.path,
    username,
    password,
    // A scheme says only that there is TLS.
    tls: common.tls ?? node.tls,
    name: node.name ?? common.name,
    preparation: node.preparation ?? common.preparation,
  };
}

/** @param {Endpoint} endpoint */
function entering({ username, password, tls, preparation }) {
  return JSON.stringify([username, password, tls, preparation?.id]);
}

/**
 * The master that Sentinels name.
 *
 * @param {Endpoint} data how to enter it; where it leads does not matter
 * @param {NonNullable<Endpoint['sentinel']>} sentinel
 * @param {Endpoint['addressMap']} addressMap
 * @returns {Endpoint}
 */
function masterOf(data, sentinel, addressMap) {
  return { ...data, ...sentinel.nodes[0], path: null, sentinel, cluster: null, addressMap };
}

/**
 * @param {Endpoint} endpoint
 * @returns {Address}
 */
function addressOf({ host, port }) {
  return { host, port };
}

module.exports = { clusterOf, masterOf, ONE_SERVER };
