'use strict';

const { createAdapter } = require('./lib/adapter');
const { RedisStore } = require('./lib/redis-store');

module.exports = { createAdapter, RedisStore };
