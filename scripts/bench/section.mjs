/**
 * Replaces the generated section of a Markdown document, between its markers: `<!-- NAME: … -->`
 * and `<!-- /NAME -->`.
 * @param {string} document @param {string} name @param {string} content
 * @throws {Error} if the document has no such markers
 */
export function withSection(document, name, content) {
  const [from, to] = [document.indexOf(`<!-- ${name}: `), document.indexOf(`<!-- /${name} -->`)];
  const start = document.indexOf('-->\n', from) + '-->\n'.length;
  if (from < 0 || to < start) throw new Error(`there are no markers of a section ${name}`);
  return `${document.slice(0, start)}\n${content.trim()}\n\n${document.slice(to)}`;
}
