'use strict';

/**
 * A page with what is between its markers replaced.
 * @param {string} page
 * @param {string} marker such as `bench`, for `<!-- bench -->` and `<!-- /bench -->`
 * @param {string} content
 * @throws {Error} when the page does not have them
 */
function between(page, marker, content) {
  const [begin, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`A page has no ${begin} … ${end}.`);
  return `${page.slice(0, from)}${begin}\n\n${content.trim()}\n\n${page.slice(to)}`;
}

module.exports = { between };
