'use strict';

// What make.js feeds to the real store: the messages of socket.io 0.9 and awkward variants.

const packet = '5:::{"name":"msg","args":["hello \\"you\\"",{"n":1}]}';
const deep = (depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

const numbers = [
  0, -0, 1, -1, 0.1, -0.1, 100, 1e20, 1e21, 123456789012345680000, 1e22, 1e-6, 1e-7, 1.5e-7, 1.5,
  127, 128, 255, 256, 32767, 32768, 65535, 65536, 2147483647, 2147483648, 4294967295, 4294967296,
  -31, -32, -33, -127, -128, -129, -32768, -32769, -2147483648, -2147483649, -4294967296,
  2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53) + 1, -(2 ** 53), 2 ** 63, -(2 ** 63), 2 ** 64,
  2 ** 64 + 4096, 2 ** 100, 5e-324, 2.2250738585072014e-308, Number.MAX_VALUE, Number.MIN_VALUE,
  Number.EPSILON, 0.1 + 0.2, 1 / 3, 4.35, Number('9007199254740993'), 1.7976931348623157e308, NaN, Infinity,
  -Infinity, 1e300, 123456.789, 1.1e21, 9.5367431640625e-7, 25e-1, 299792458, 1402088400123,
];
for (let power = -320; power <= 308; power += 7) numbers.push(Number(`1.2345e${power}`));

const values = [
  '', 'plain', 'ü é ß', '日本語', '😀 emoji 👩‍👩‍👧', '\u2028\u2029', '\u0000\u0001\u001f\u007f',
  '"quoted" \\ / \b\f\n\r\t', '\ufeff', '\ufffd', null, true, false, [], {}, [[]], [{}], { a: [] },
  { '': 0, ü: 1, '"': 2, '😀': 3, nodeId: 4, args: 5, 1: 6 }, undefined, new Date(0),
  { date: new Date(1402088400123), gone: undefined, fn() {} }, [undefined, () => {}], numbers,
  { a: { b: { c: [1, [2, [3, { d: null }]]] } } }, deep(120), deep(200), 'x'.repeat(31),
  'x'.repeat(32), 'y'.repeat(255), 'y'.repeat(256), Array(15).fill(0),
  Array(16).fill(0), Object.fromEntries(numbers.map((n, i) => [`k${i}`, n])),
  Buffer.from('buffer'), new Map(), 'true', '[1,2]', '{"nodeId":1}', '][}{', '\\', '\\"',
];

const handshake = {
  headers: { host: 'localhost:3000', cookie: 'a="b"; c=d', 'user-agent': 'Mozilla/5.0 (é)' },
  address: { address: '127.0.0.1', port: 50412 },
  time: 'Sun Jun 01 2014 10:00:00 GMT+0200 (CEST)',
  query: { t: '1402088400123' }, url: '/socket.io/1/?t=1402088400123',
  xdomain: true, secure: undefined, issued: 1402088400123,
};

const messages = [
  { channel: 'handshake', args: ['OO5aDBcQk1LYt4nuZuG0', handshake] },
  ...['connect', 'open', 'close', 'disconnect-force', 'heartbeat-clear'].map((channel) => ({
    channel, args: ['OO5aDBcQk1LYt4nuZuG0'],
  })),
  { channel: 'join', args: ['OO5aDBcQk1LYt4nuZuG0', '/chat/room 1'] },
  { channel: 'join', args: ['OO5aDBcQk1LYt4nuZuG0', ''] },
  { channel: 'leave', args: ['OO5aDBcQk1LYt4nuZuG0', '/chat'] },
  { channel: 'disconnect', args: ['OO5aDBcQk1LYt4nuZuG0', 'booted'] },
  { channel: 'disconnect-remote', args: ['OO5aDBcQk1LYt4nuZuG0', undefined] },
  { channel: 'message-remote', args: ['id', { type: 'event', name: 'e', args: [1, 'é'], endpoint: '' }] },
  { channel: 'dispatch-remote', args: ['id', packet, undefined] },
  { channel: 'dispatch-remote', args: ['id', packet, true] },
  { channel: 'dispatch', args: ['', packet, undefined, []] },
  { channel: 'dispatch', args: ['/chat/room', packet, true, []] },
  { channel: 'dispatch', args: ['/chat/room', packet, false, ['a1', 'b2']] },
  { channel: 'dispatch', args: ['/日本 "x"', '3:::😀\u2028\n', null, ['é"\\']] },
  { channel: 'dispatch', args: ['', '3:::{"a":"[[[{{{"}', undefined, ['OO5aDBcQk1LYt4nuZuG0']] },
  // Not quite a dispatch.
  ...[
    [], [''], ['', packet], ['', packet, true], ['', packet, null, [], 1], [1, packet, null, []],
    ['', { packet }, null, []], ['', packet, 1, []], ['', packet, 'true', []],
    ['', packet, null, undefined], ['', packet, null, 'a'], ['', packet, null, [1]],
    ['', packet, null, ['a', null]], ['', packet, null, {}], [null, packet, null, []],
  ].map((args) => ({ channel: 'dispatch', args })),
  ...values.map((value) => ({ channel: 'custom', args: [value] })),
  { channel: 'custom', args: values },
  { channel: 'custom', args: [] },
  { channel: 'custom', args: ['é'.repeat(32768)] },
  ...[0, 1.5, 2 ** 31, 'a node', '', 'ü"😀', '0x10', ' 7 '].map((nodeId) => ({
    channel: 'connect', args: ['id'], nodeId,
  })),
];

// MessagePack libraries disagree about these, so that they are for JSON alone.
const halfSurrogates = [
  { channel: 'custom', args: ['\ud800', 'a\udc00b', '\udc00\ud800', { '\ud800': 1 }] },
  { channel: 'dispatch', args: ['', '3:::\ud83d', null, []] },
  { channel: 'dispatch', args: ['/\ude00', '3:::a', null, []] },
  { channel: 'dispatch', args: ['', '3:::a', null, ['\ud83d']] },
];

const invalidUtf8 = (text, ...bytes) => {
  const [before, after] = text.split('%');
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
};

// Read by a store whose nodeId is 1.
const handWrittenJson = [
  '{"args":["x"],"nodeId":2}', '{"args":["x"],"nodeId":1}', ' { "nodeId" : 2 , "args" : [ 1 ] } \n',
  '\t{"nodeId":\r\n1,"args":[1]}', '{"args":[1]}', '{"nodeId":2}', '{}', '{"nodeId":null,"args":[1]}',
  '{"nodeId":2,"args":null}', '{"nodeId":"1","args":[1]}', '{"nodeId":" 1.0 ","args":[1]}',
  '{"nodeId":"0x1","args":[1]}', '{"nodeId":true,"args":[1]}', '{"nodeId":false,"args":[1]}',
  '{"nodeId":1.0,"args":[1]}', '{"nodeId":10e-1,"args":[1]}', '{"nodeId":1e999,"args":[1]}',
  '{"nodeId":"one","args":[1]}', '{"nodeId":{},"args":[1]}', '{"nodeId":[2],"args":[1]}',
  '{"extra":{"nodeId":1,"args":[9]},"nodeId":2,"args":["x"],"more":[[],{}]}',
  '{"nodeId":3,"nodeId":2,"args":[0],"args":["last"]}', '{"args":[0],"nodeId":2,"nodeId":1}',
  '{"\\u006eodeId":1,"args":["x"]}', '{"node\\u0049d":2,"\\u0061rgs":["x"]}',
  '{"\\ud800":0,"nodeId":2,"args":["x"]}', '{"__proto__":{"nodeId":1},"nodeId":2,"args":["x"]}',
  '{"NodeId":1,"nodeid":1,"args":["x"]}', '{"nodeId":2,"args":["\\u00e9\\/"]}',
  '{"nodeId":2,"args":["a","b",null,[]]}', '{"nodeId":2,"args":["a","b",true, [ ] ]}',
  '{"nodeId":2,"args":[ "a" , "b\\u0041" , false , [ "c" , "d" ] ]}',
  '{"nodeId":2,"args":["a","\\ud83d\\ude00",null,["\\u0041"]]}',
  invalidUtf8('{"nodeId":2,"args":["%"]}', 0xff), invalidUtf8('{"nodeId":2,"args":["%"]}', 0xe2, 0x82),
  invalidUtf8('{"nodeId":2,"args":["a","%",null,[]]}', 0xed, 0xa0, 0x80),
  invalidUtf8('{"nodeId":2,"args":["%"]}', 0xf0, 0x9f, 0x98, 0x41, 0xc0, 0x80),
  invalidUtf8('{"%":2,"nodeId":2,"args":["x"]}', 0x80),
  // Not JSON, or no message.
  '{', '{"nodeId":2,"args":[1]', '{"nodeId":2,"args":[1]}}', '{"nodeId":2,"args":[1],}', 'x', '',
  "{'nodeId':2}", '{"nodeId":2,"args":[01]}', '{"nodeId":2,"args":[1.]}', '{"nodeId":2,"args":[NaN]}',
  '{"nodeId":2,"args":["\n"]}', '{"nodeId":2,"args":["\\x41"]}', '{"nodeId":2,"args":["\\u12"]}',
  '{"a\nb":2,"args":[]}', '\ufeff{"nodeId":2,"args":[]}', '{"nodeId":2,"args":"text"}',
  '{"nodeId":2,"args":5}', '{"nodeId":2,"args":true}', 'null',
];

// {"nodeId":2,"args":[…]} around the bytes of one argument.
const argument = (...bytes) => [
  0x82, 0xa6, ...Buffer.from('nodeId'), 2, 0xa4, ...Buffer.from('args'), 0x91, ...bytes,
];
const ascii = (text) => [...Buffer.from(text)];

const handWrittenMessagePack = [
  argument(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1), argument(0xcf, ...Array(8).fill(0xff)),
  argument(0xd3, 0x80, ...Array(7).fill(0)), argument(0xd3, ...Array(8).fill(0xff)),
  argument(0xcc, 5), argument(0xcd, 0, 5), argument(0xce, 0, 0, 0, 5), argument(0xd0, 0xff),
  argument(0xd1, 0xff, 0xfe), argument(0xd2, 0xff, 0xff, 0xff, 0xfd), argument(0xca, 0x3d, 0xcc, 0xcc, 0xcd),
  argument(0xca, 0x7f, 0x80, 0, 0), argument(0xcb, 0x7f, 0xf8, ...Array(6).fill(0)),
  argument(0xcb, 0x80, ...Array(7).fill(0)), argument(0xd9, 3, ...ascii('abc')),
  argument(0xda, 0, 3, ...ascii('abc')), argument(0xdb, 0, 0, 0, 3, ...ascii('abc')),
  argument(0xc4, 3, 0, 127, 255), argument(0xc5, 0, 1, 9), argument(0xc6, 0, 0, 0, 0),
  argument(0xdc, 0, 2, 1, 2), argument(0xdd, 0, 0, 0, 1, 1), argument(0xde, 0, 1, 0xa1, 0x61, 1),
  argument(0xdf, 0, 0, 0, 1, 0xa1, 0x61, 1), argument(0x81, 5, 0xa1, 0x78), argument(0x82, 0xff, 1, 0xcb, 0x3f, 0xe0, ...Array(6).fill(0), 2),
  [0x82, 0xa4, ...ascii('args'), 0x91, 1, 0xa6, ...ascii('nodeId'), 1],
  [0x82, 0xa4, ...ascii('args'), 0x91, 1, 0xa6, ...ascii('nodeId'), 0xa1, 0x31],
  [0x82, 0xa4, ...ascii('args'), 0x91, 1, 0xa6, ...ascii('nodeId'), 0xc3],
  [0x82, 0xa4, ...ascii('args'), 0x91, 1, 0xa6, ...ascii('nodeId'), 0xc0],
  [0x81, 0xa4, ...ascii('args'), 0x91, 1], [0x80], [0x81, 0xa4, ...ascii('args'), 0xc0],
  [0x81, 0xa4, ...ascii('args'), 0xa1, 0x61], [0xde, 0, 1, 0xa4, ...ascii('args'), 0x90],
  [0xdf, 0, 0, 0, 1, 0xa4, ...ascii('args'), 0x90], [0x83, 0xa1, 0x78, 0x81, 0xa1, 0x79, 0x90, 0xa6, ...ascii('nodeId'), 2, 0xa4, ...ascii('args'), 0x90],
  argument(0xc1), argument(), argument(0xdd, 0xff, 0xff, 0xff, 0xff, 1), argument(0xdf, 0xff, 0xff, 0xff, 0xff),
  argument(0xdb, 0xff, 0xff, 0xff, 0xff, 1), argument(0xc6, 0xff, 0xff, 0xff, 0xff), argument(1, 1), [...argument(1), 0],
];

const operands = [
  ...numbers.slice(0, 60), 16, 8, 2, 3, 12, 1e3,
  '', ' ', '\t\n\r\v\f', '\u00a0', '\ufeff', '\u2028', '\u2029', '\u3000', '\u1680', '\u200b', '\u0085', '\u180e',
  '0', '-0', '+0', '00', '1', '+1', '-1', '01', '1.0', '1.', '.1', '-.1', '+.1e0', '.', '-', '+', '+-1',
  '--1', '1e3', '1E3', '1e+3', '1e-3', '1e', 'e3', '1e3.5', '.e3', '1.e3', ' 12 ', '\n12\t', '12 3', '1,2',
  '1_000', '_1', '0x10', '0X10', '0xff', '0xFF', '0x', '0xg', '-0x10', '+0x10', '0x1p3', '0b11', '0B11',
  '0b2', '0b', '0o17', '0O17', '0o8', '010', '0x 1', '0x1_0', '1n', '16', '8', '100', '1e21', '1e+21',
  'Infinity', '+Infinity', '-Infinity', ' Infinity ', 'infinity', 'INFINITY', 'inf', '-inf', 'nan', 'NaN',
  'Infinityx', '1e999', '-1e999', '1e-999', '0.1', '0.10', '5e-324', '2e-324', '9007199254740993',
  '9007199254740992.5', '0x20000000000001', '0x20000000000003', '0x20000000000002',
  '0x20000000000000800000000000000000001', '0x20000000000001000000000000000000000000000000000000',
  '0x2000000000000100000000000000000000000000000000000001', `0x${'f'.repeat(256)}`, `0x1${'0'.repeat(255)}`,
  `0x${'f'.repeat(13)}8${'0'.repeat(242)}`, `0x${'0'.repeat(400)}1`, `0b${'1'.repeat(54)}`, `0b1${'0'.repeat(2000)}`,
  '18446744073709551615', '18446744073709551616', 'true', 'null', 'undefined', 'abc', 'ABC', 'é', 'e\u0301',
  '😀', '٣', '１', '1\u0000', '[object Object]', 'OO5aDBcQk1LYt4nuZuG0',
];

module.exports = {
  messages, halfSurrogates, handWrittenJson, handWrittenMessagePack, numbers, operands,
};
