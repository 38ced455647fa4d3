'use strict';

/** The pages of this project, and what is in them. */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
/** Made from index.d.ts. Its TypeScript is signatures. */
const GENERATED = 'docs/api/README.md';

/**
 * @typedef {object} Block of code
 * @property {string} file from the root
 * @property {number} line of its first line of code
 * @property {string} lang
 * @property {string} text
 * @property {boolean} fragment whether `<!-- fragment -->` stands before it: it cannot stand alone
 */

/** @returns {string[]} all Markdown files, from the root */
function pages() {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed
    .trim()
    .split('\n')

    .filter((file) => fs.existsSync(path.join(ROOT, file)));
}

/** @param {string} text of a page @param {string} file its name @returns {Promise<Block[]>} */
async function blocksOf(text, file) {
  const { unified } = await import('unified');
  const { default: remarkParse } = await import('remark-parse');
  /** @type {Block[]} */
  const blocks = [];
  /** @param {any} node */
  const walk = (node) => {
    for (const [i, child] of (node.children ?? []).entries()) {
      const before = node.children[i - 1];
      const fragment = before?.type === 'html' && before.value.trim() === '<!-- fragment -->';
      if (child.type === 'code' && child.lang)
        blocks.push({ file, line: child.position.start.line + 1, lang: child.lang, text: child.value, fragment });
      walk(child);
    }
  };
  walk(unified().use(remarkParse).parse(text));
  return blocks;
}

/** @returns {Promise<Block[]>} those of all pages */
async function allBlocks() {
  const all = pages().map((file) => blocksOf(fs.readFileSync(path.join(ROOT, file), 'utf8'), file));
  const blocks = (await Promise.all(all)).flat();
  return blocks.filter(({ file, lang }) => file !== GENERATED || lang !== 'ts');
}

/** @param {Block} block @returns {string} where it is */
const where = ({ file, line }) => `${file}:${line}`;

module.exports = { ROOT, allBlocks, blocksOf, pages, where };
