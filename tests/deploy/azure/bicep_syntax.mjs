// Bicep's syntax, by tree-sitter-bicep.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Language, Parser } from 'web-tree-sitter';

const modules = path.join(path.dirname(fileURLToPath(import.meta.url)), 'node_modules');
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(path.join(modules, 'tree-sitter-bicep/tree-sitter-bicep.wasm')));

export const parse = (file) => parser.parse(fs.readFileSync(file, 'utf8')).rootNode;
export const line = (node) => node.startPosition.row + 1;
export const named = (node) => node.namedChildren.filter((child) => child.type !== 'comment');

// A string's text, where nothing is interpolated; of one of its parts, that part's.
export function textOf(node) {
  if (node.type !== 'string') return node.type === 'escape_sequence' ? node.text.slice(1) : node.text;
  return named(node).map(textOf).join('');
}

export function walk(node, visit) {
  visit(node);
  for (const child of node.children) walk(child, visit);
}
