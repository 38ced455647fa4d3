'use strict';

/**
 * What requests of other servers are handled with, see `request-handler.js`.
 * @param {any} adapter
 * @param {object} parts
 * @param {() => InstanceType<typeof import('./open-namespace').OpenNamespace>} parts.namespaceOf the one that is open
 * @param {() => import('./options').Wire} parts.wire
 * @param {() => import('./wire/common').Parser} parts.parserOf loads the parser
 * @param {(packet: any) => boolean} parts.encodes whether a packet can be sent to clients
 * @param {(packet: any, opts: any, count: Function, ack: Function) => void} parts.broadcastWithAck
 * @returns {import('./request-handler').LocalAdapter}
 */
function localAdapterOf(adapter, { namespaceOf, wire, parserOf, encodes, broadcastWithAck }) {
  const { nsp } = adapter;
  return {
    adapter,
    broadcastWithAck,
    encodes,
    hasRequest: (requestId) => namespaceOf().cluster.hasRequest(requestId),
    respond: (request, response) => namespaceOf().respond(request, response),
    encodeResponse: (response) => wire().encodeResponse(response, parserOf, nsp.name),
    encodeItems: (items) => wire().encodeItems(items),
    encodeSocket: (socket, leftOut) => wire().encodeSocket(socket, leftOut, parserOf),
    encodeList: (head, list, items) => wire().encodeList(head, list, items, parserOf, nsp.name),
    report: (error) => namespaceOf().report(error),
    released: (sid, pid) => namespaceOf().recovery?.released(sid, pid),
  };
}

module.exports = { localAdapterOf };
