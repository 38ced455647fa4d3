'use strict';

/**
 * What emitters of other languages publish, byte for byte. Those of Python were recorded: the package itself, with a
 * client that keeps what it is to publish. Those of PHP and Go follow their sources and those of the MessagePack
 * packages that they use, of which each has its ways: text of 32 bytes and more, empty arrays of PHP, `nil` of Go,
 * integers and floats by their types, maps in any order.
 *
 * Not among them, since no adapter for Node hears them: python-socketio, whose servers have a wire of their own;
 * `socket.io-redis-emitter` 0.0.3 of PyPI, whose channels lack the last `#`; `rase/socket.io-emitter` of PHP and
 * others of the time before socket.io-redis 1, which publish on `socket.io#emitter`.
 *
 * @typedef {object} Call
 * @property {[channel: string, hex: string][]} messages
 * @property {Partial<Record<'one' | 'two' | 'chat', any[][]>>} heard by a client in `r1` and `r2`, one in `r2`, and one
 *   of the namespace `/chat`; an event's arguments each
 */

const LONG = 'a text that is longer than thirty-one bytes';
const PLAIN = [1, { text: 'ä', list: [1.5, null, true, -7] }];

/** @type {Record<string, Record<string, Call>>} */
const BROADCASTS = {
  'socket.io-emitter 0.1.5 of PyPI': {
    'to all': {
      messages: [
        [
          'socket.io#/#',
          '93a7656d697474657283a46461746193a46e6577730182a474657874a2c3a4a46c69737494cb3ff8000000000000c0c3f9a47479706502a36e7370a12f82a5666c616773a0a5726f6f6d73a0',
        ],
      ],
      heard: { one: [PLAIN], two: [PLAIN] },
    },
    'to a room': {
      messages: [
        [
          'socket.io#/#r1#',
          '93a7656d697474657283a46461746192a46e65777302a47479706502a36e7370a12f82a5666c616773a0a5726f6f6d7391a27231',
        ],
      ],
      heard: { one: [[2]] },
    },
    'to two rooms': {
      messages: [
        [
          'socket.io#/#r1#',
          '93a7656d697474657283a46461746192a46e65777303a47479706502a36e7370a12f82a5666c616773a0a5726f6f6d7392a27231a27232',
        ],
        [
          'socket.io#/#r2#',
          '93a7656d697474657283a46461746192a46e65777303a47479706502a36e7370a12f82a5666c616773a0a5726f6f6d7392a27231a27232',
        ],
      ],
      heard: { one: [[3], [3]], two: [[3], [3]] },
    },
    'in a namespace': {
      messages: [
        [
          'socket.io#/chat#',
          '93a7656d697474657283a46461746192a46e65777304a47479706502a36e7370a52f6368617482a5666c616773a0a5726f6f6d73a0',
        ],
      ],
      heard: { chat: [[4]] },
    },
    binary: {
      messages: [
        [
          'socket.io#/#r1#',
          '93a7656d697474657283a46461746192a46e657773c40470617274a47479706502a36e7370a12f82a5666c616773a0a5726f6f6d7391a27231',
        ],
      ],
      heard: { one: [[Buffer.from('part')]] },
    },
  },
  'ashiina/socket.io-emitter of PHP, with the extension msgpack': {
    'to all': {
      messages: [
        [
          'socket.io#/#',
          '93a7656d697474657283a47479706502a46461746193a46e6577730182a474657874a2c3a4a46c69737494cb3ff8000000000000c0c3f9a36e7370a12f82a5726f6f6d7390a5666c61677390',
        ],
      ],
      heard: { one: [PLAIN], two: [PLAIN] },
    },
    'a long text, to a room': {
      messages: [
        [
          'socket.io#/#r1#',
          '93a7656d697474657283a47479706502a46461746192a46e657773da002b6120746578742074686174206973206c6f6e676572207468616e207468697274792d6f6e65206279746573a36e7370a12f82a5726f6f6d7391a27231a5666c61677390',
        ],
      ],
      heard: { one: [[LONG]] },
    },
    'to two rooms': {
      messages: [
        [
          'socket.io#/#r1#',
          '93a7656d697474657283a47479706502a46461746192a46e65777303a36e7370a12f82a5726f6f6d7392a27231a27232a5666c61677390',
        ],
        [
          'socket.io#/#r2#',
          '93a7656d697474657283a47479706502a46461746192a46e65777303a36e7370a12f82a5726f6f6d7392a27231a27232a5666c61677390',
        ],
      ],
      heard: { one: [[3], [3]], two: [[3], [3]] },
    },
    'in a namespace, with flags': {
      messages: [
        [
          'socket.io#/chat#',
          '93a7656d697474657283a47479706502a46461746192a46e65777304a36e7370a52f6368617482a5726f6f6d7390a5666c61677382a8766f6c6174696c65c3a962726f616463617374c3',
        ],
      ],
      heard: { chat: [[4]] },
    },
  },
  'ruslanmelnychenko/socket.io-php-emitter of PHP, with rybakit/msgpack': {
    'to all but a room': {
      messages: [
        [
          'socket.io#/#',
          '93a7656d697474657283a47479706502a46461746193a46e657773d92b6120746578742074686174206973206c6f6e676572207468616e207468697274792d6f6e6520627974657381a5656d70747990a36e7370a12f83a5726f6f6d7390a665786365707491a27232a5666c61677390',
        ],
      ],
      heard: {},
    },
  },
  'github.com/tkhatri1/socket.io-emitter-go, with vmihailenco/msgpack 5': {
    'to all': {
      messages: [
        [
          'socket.io#/#',
          '93aa73616d706c655f75696483a36e7370a12fa47479706502a46461746194a46e657773d30000000000000005ca3fc0000081a26f6bc382a5666c616773c0a5726f6f6d73c0',
        ],
      ],
      heard: { one: [[5, 1.5, { ok: true }]], two: [[5, 1.5, { ok: true }]] },
    },
    'to two rooms': {
      messages: [
        [
          'socket.io#/#r1#',
          '93aa73616d706c655f75696483a46461746192a46e65777302a36e7370a12fa4747970650282a5726f6f6d7391a27231a5666c616773c0',
        ],
        [
          'socket.io#/#r2#',
          '93aa73616d706c655f75696483a46461746192a46e65777302a36e7370a12fa4747970650282a5726f6f6d7391a27232a5666c616773c0',
        ],
      ],
      heard: { one: [[2], [2]], two: [[2]] },
    },
  },
  'github.com/cuizuoli/socket.io-redis-emitter-go, with vmihailenco/msgpack 5': {
    'binary, to all': {
      messages: [
        [
          'socket.io#/#',
          '93a7656d697474657283a47479706502a46461746192a46e657773c40470617274a36e7370a12f83a5726f6f6d73c0a5666c61677380a6657863657074c0',
        ],
      ],
      heard: { one: [[Buffer.from('part')]], two: [[Buffer.from('part')]] },
    },
    'to a room but not another': {
      messages: [
        [
          'socket.io#/#r2#',
          '93a7656d697474657283a46461746192a46e657773c0a36e7370a12fa4747970650283a665786365707491a27231a5666c61677380a5726f6f6d7391a27232',
        ],
      ],
      heard: { two: [[null]] },
    },
  },
  'github.com/stackcats/socket.io-emitter-go, with vmihailenco/msgpack 2': {
    'to a room, volatile': {
      messages: [
        [
          'socket.io#/#r1#',
          '93a7656d697474657283a47479706502a46461746192a46e657773d92b6120746578742074686174206973206c6f6e676572207468616e207468697274792d6f6e65206279746573a36e7370a12f82a5726f6f6d7391a27231a5666c61677381a8766f6c6174696c65c3',
        ],
      ],
      heard: { one: [[LONG]] },
    },
    'in a namespace': {
      messages: [
        [
          'socket.io#/chat#',
          '93a7656d697474657283a36e7370a52f63686174a47479706502a46461746191a46e65777382a5726f6f6d7390a5666c61677380',
        ],
      ],
      heard: { chat: [[]] },
    },
  },
};

/**
 * Requests, for the sockets in `r1`: JSON of each language.
 * @type {Record<string, Record<'join' | 'leave' | 'disconnect' | 'serverSideEmit', string>>}
 */
const REQUESTS = {
  'ruslanmelnychenko/socket.io-php-emitter of PHP': {
    join: '{"type":2,"opts":{"rooms":["r1"],"except":[]},"rooms":["r\\/3"]}',
    leave: '{"type":3,"opts":{"rooms":["r1"],"except":[]},"rooms":["r\\/3"]}',
    disconnect: '{"type":4,"opts":{"rooms":["r1"],"except":[]},"close":false}',
    serverSideEmit: '{"uid":"emitter","type":6,"data":["news","\\u00e4"]}',
  },
  'github.com/cuizuoli/socket.io-redis-emitter-go': {
    join: '{"opts":{"except":null,"rooms":["r1"]},"rooms":["r/3"],"type":2}',
    leave: '{"opts":{"except":null,"rooms":["r1"]},"rooms":["r/3"],"type":3}',
    disconnect: '{"close":false,"opts":{"except":null,"rooms":["r1"]},"type":4}',
    serverSideEmit: '{"data":["news","ä"],"type":6,"uid":"emitter"}',
  },
};

module.exports = { BROADCASTS, REQUESTS };
