'use strict';

/** The numbers that cross from the native side, and to it; see `src/delivery/chunk.rs`. */

/** What an entry of a batch is. Everything else is an event. */
const ARGS = 0;
const DISPATCH = 1;
const RAW = 2;
const REPLY = 3;
const BROADCAST = 5;
const PAYLOAD = 6;

/** What a reply is. */
const INTEGER = 1;
const STRING = 2;
const ERROR = 3;
const LIST = 4;

/** How a `volatile` of null, false or true crosses to the native side and back: by its place. */
const VOLATILE = [null, false, true];

module.exports = { ARGS, BROADCAST, DISPATCH, ERROR, INTEGER, LIST, PAYLOAD, RAW, REPLY, STRING, VOLATILE };
