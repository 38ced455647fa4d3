'use strict';

/**
 * Prints flags for RUSTFLAGS that keep the paths of this machine out of the binary: its panics name sources as
 * /cargo/… and ./src/…, so that the same sources are the same bytes wherever they are built.
 *
 *     RUSTFLAGS=$(node scripts/rust-flags.js) npm run build
 */

const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const { CARGO_HOME = path.join(os.homedir(), '.cargo'), RUSTUP_HOME = path.join(os.homedir(), '.rustup') } =
  process.env;

const prefixes = { [ROOT]: '.', [CARGO_HOME]: '/cargo', [RUSTUP_HOME]: '/rustup' };
const flags = Object.entries(prefixes).map(([from, to]) => `--remap-path-prefix=${path.resolve(from)}=${to}`);
if (flags.some((flag) => /\s/.test(flag))) throw new Error('RUSTFLAGS cannot hold a path with a space in it.');
console.log(flags.join(' '));
