'use strict';

const { RedisStore } = require('./lib/redis-store');

module.exports = { RedisStore };
