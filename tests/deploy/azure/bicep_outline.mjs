// What stands in Bicep files, as JSON on standard output: node bicep_outline.mjs FILE... Syntax by tree-sitter-bicep.
//
// A value is a string, number, boolean, list or object as written; {"expression": TEXT} where it is computed,
// {"either": [A, B]} for a condition's two outcomes, {"concat": [...]} for concat(...).
import { line, named, parse, textOf as plainText, walk } from './bicep_syntax.mjs';

function textOf(string) {
  const isComputed = named(string).some((part) => part.type === 'interpolation');
  return isComputed ? { expression: string.text } : plainText(string);
}

function valueOf(node) {
  const children = named(node);
  switch (node.type) {
    case 'string': return textOf(node);
    case 'number': return Number(node.text);
    case 'boolean': return node.text === 'true';
    case 'object': return objectOf(node);
    case 'array': return children.map(valueOf);
    case 'for_statement': return [valueOf(children.at(-1))];
    case 'if_statement': return valueOf(children.at(-1));
    case 'parenthesized_expression': return valueOf(children[0]);
    case 'ternary_expression': return { either: children.slice(1).map(valueOf) };
    case 'call_expression':
      if (children[0].text === 'concat') return { concat: named(children[1]).map(valueOf) };
  }
  return { expression: node.text };
}

function objectOf(node) {
  const found = {};
  for (const property of named(node)) {
    const [key, value] = named(property);
    if (key.type === 'resource_declaration') continue;
    const name = key.type === 'string' ? textOf(key) : key.text;
    found[typeof name === 'string' ? name : name.expression] = valueOf(value);
  }
  return found;
}

function bodyOf(declaration) {
  let body = named(declaration).at(-1);
  const how = { loop: false, conditional: false };
  while (body.type === 'for_statement' || body.type === 'if_statement') {
    how[body.type === 'for_statement' ? 'loop' : 'conditional'] = true;
    body = named(body).at(-1);
  }
  return { body, how };
}

function addResource(declaration, outer, outline) {
  const [symbol, name] = named(declaration);
  const { body, how } = bodyOf(declaration);
  const written = textOf(name);
  const [type, version] = outer && !written.includes('@')
    ? [`${outer.type}/${written}`, outer.version]
    : written.split('@');
  const existing = declaration.children.some((child) => child.text === 'existing');
  const resource = { symbol: symbol.text, type, version, existing, ...how, line: line(declaration),
    nested: Boolean(outer), body: objectOf(body) };
  outline.resources.push(resource);
  for (const property of named(body)) {
    const [inner] = named(property);
    if (inner.type === 'resource_declaration') addResource(inner, resource, outline);
  }
}

function decoratorsOf(node) {
  return named(node).map((decorator) => {
    const [name, values] = named(named(decorator)[0]);
    return { name: name.text, values: named(values).map(valueOf) };
  });
}

// Names that stand where a value may: neither a property's nor the one that a declaration gives.
function usesIn(tree) {
  const uses = [];
  walk(tree, (node) => {
    if (node.type !== 'identifier') return;
    const parent = node.parent;
    const first = named(parent)[0];
    const isDeclared = parent.type.endsWith('_declaration') && first.equals(node);
    const isKey = parent.type === 'object_property' && first.equals(node);
    const isCalled = parent.type === 'call_expression' && first.equals(node);
    const isInner = parent.type === 'resource_expression' && !first.equals(node);
    if (isDeclared || isKey || isCalled || isInner) return;
    if (parent.type === 'decorator') return;
    uses.push({ name: node.text, line: line(node) });
  });
  return uses;
}

function outlineOf(file) {
  const tree = parse(file);
  const outline = { file, faults: [], params: [], vars: [], resources: [], modules: [], outputs: [], locals: [], calls: [] };
  walk(tree, (node) => {
    if (node.isError || node.isMissing) outline.faults.push({ line: line(node), text: node.text.slice(0, 60) });
    if (node.type === 'for_statement' && named(node)[0].type === 'identifier') outline.locals.push(named(node)[0].text);
    if (node.type === 'loop_variable' || node.type === 'loop_enumerator') outline.locals.push(node.text);
    if (node.type === 'call_expression') outline.calls.push({ name: named(node)[0].text, line: line(node) });
  });
  outline.uses = usesIn(tree);
  let decorators = [];
  for (const node of named(tree)) {
    const children = named(node);
    const name = children[0]?.text;
    if (node.type === 'decorators') {
      decorators = decoratorsOf(node);
      continue;
    }
    if (node.type === 'parameter_declaration') {
      const given = children.slice(2).map(valueOf);
      outline.params.push({ name, type: children[1].text, decorators, line: line(node),
        ...(given.length > 0 ? { default: given[0] } : {}) });
    } else if (node.type === 'variable_declaration') {
      outline.vars.push({ name, line: line(node), value: valueOf(children.at(-1)) });
    } else if (node.type === 'resource_declaration') {
      addResource(node, null, outline);
    } else if (node.type === 'module_declaration') {
      const { body, how } = bodyOf(node);
      outline.modules.push({ symbol: name, path: textOf(children[1]), ...how, line: line(node), body: objectOf(body) });
    } else if (node.type === 'output_declaration') {
      outline.outputs.push({ name, type: children[1].text, line: line(node) });
    }
    decorators = [];
  }
  return outline;
}

process.stdout.write(JSON.stringify(process.argv.slice(2).map(outlineOf)));
