// What a deployment of a Bicep file would make, as JSON on standard output:
//   node bicep_deployment.mjs main.bicep PARAMETER=VALUE...
// Parameters, variables, conditions, loops, modules and the functions below are worked out as Bicep does; what only a
// running deployment can know is the text "<NAME>.properties.whatever". Fails on a name that nothing declares, on a
// module's parameter that is missing, unknown or against its decorators, and on an output that is not there.
import fs from 'node:fs';
import path from 'node:path';
import { named, parse, textOf } from './bicep_syntax.mjs';

class Resource {
  constructor(type, version, name, body, existing) {
    Object.assign(this, { type, version, name, body, existing, inner: {} });
  }
}
class Runtime { // a property of a resource that is known once it is there
  constructor(text) { this.text = text; }
}

const functions = {
  take: (text, count) => text.slice(0, count),
  uniqueString: (...parts) => `u${[...parts.join('|')].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) >>> 0, 7)}`,
  resourceGroup: () => ({ id: '/subscriptions/S/resourceGroups/G', location: 'here' }),
  guid: (...parts) => `guid(${parts.map(plain).join(', ')})`,
  subscriptionResourceId: (type, name) => `${type}/${name}`,
  empty: (value) => value.length === 0,
  concat: (...lists) => lists.flat(),
  json: (text) => JSON.parse(text),
  listKeys: (id) => new Runtime(`listKeys(${plain(id)})`),
};

function plain(value) {
  if (value instanceof Runtime) return `<${value.text}>`;
  if (value instanceof Resource) return value.name;
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [plain(key), plain(one)]));
  }
  return value;
}

class Template {
  constructor(file, given, made) {
    Object.assign(this, { file, made, lazy: new Map(), known: new Map(), outputs: {} });
    this.declare(parse(file), given);
  }

  fail(node, why) {
    throw new Error(`${this.file}:${node.startPosition.row + 1}: ${why}`);
  }

  declare(tree, given) {
    const left = new Set(Object.keys(given));
    const outputs = [];
    let decorators = [];
    for (const node of named(tree)) {
      const parts = named(node);
      const name = parts[0]?.text;
      if (node.type === 'decorators') { decorators = parts; continue; }
      if (node.type === 'parameter_declaration') {
        left.delete(name);
        if (!(name in given) && parts.length < 3) this.fail(node, `parameter ${name} is not given`);
        this.lazy.set(name, () => {
          const value = name in given ? given[name] : this.value(parts[2], {});
          this.checkParameter(node, value, decorators_of.get(node));
          return value;
        });
        decorators_of.set(node, decorators);
      } else if (node.type === 'variable_declaration') {
        this.lazy.set(name, () => this.value(parts.at(-1), {}));
      } else if (node.type === 'resource_declaration') {
        this.lazy.set(name, () => this.resource(node, null, {}));
      } else if (node.type === 'module_declaration') {
        this.lazy.set(name, () => this.module(node));
      } else if (node.type === 'output_declaration') {
        outputs.push([name, parts.at(-1)]);
      }
      decorators = [];
    }
    if (left.size > 0) this.fail(tree, `no parameter is called ${[...left].join(', ')}`);
    for (const name of this.lazy.keys()) this.look(name);
    for (const [name, node] of outputs) this.outputs[name] = this.value(node, {});
  }

  checkParameter(node, value, decorators) {
    for (const decorator of decorators) {
      const [name, values] = named(named(decorator)[0]);
      const wanted = named(values).map((one) => this.value(one, {}))[0];
      const wrong = { allowed: () => !wanted.includes(value), minLength: () => value.length < wanted,
        maxLength: () => value.length > wanted, minValue: () => value < wanted, maxValue: () => value > wanted }[name.text];
      if (wrong?.()) this.fail(node, `${JSON.stringify(value)} is against @${name.text}(${JSON.stringify(wanted)})`);
    }
  }

  look(name) {
    if (!this.known.has(name)) this.known.set(name, this.lazy.get(name)());
    return this.known.get(name);
  }

  // Calls make(body, locals) for each time that a declaration's body counts: once, never, or in a loop.
  expand(node, locals, make) {
    if (node.type === 'for_statement') {
      const [variables, list, body] = named(node).length === 3 ? named(node) : [named(node)[0], ...named(node).slice(1)];
      const names = variables.type === 'for_loop_parameters' ? named(variables).map((one) => one.text) : [variables.text];
      return this.value(list, locals).map((item, index) =>
        this.expand(body, { ...locals, [names[0]]: item, ...(names[1] ? { [names[1]]: index } : {}) }, make)).flat();
    }
    if (node.type === 'if_statement') {
      const [condition, body] = named(node);
      return this.value(condition, locals) ? this.expand(body, locals, make) : [];
    }
    return [make(node, locals)];
  }

  resource(node, outer, outerLocals) {
    const parts = named(node);
    const written = textOf(parts[1]);
    const [type, version] = outer && !written.includes('@') ? [`${outer.type}/${written}`, outer.version] : written.split('@');
    const existing = node.children.some((child) => child.text === 'existing');
    const all = this.expand(parts.at(-1), outerLocals, (body, locals) => {
      const content = this.value(body, locals);
      const parent = outer ?? content.parent;
      const name = parent ? `${parent.name}/${plain(content.name)}` : plain(content.name);
      const resource = new Resource(type, version, name, content, existing);
      if (!existing) this.made.push(resource);
      for (const property of named(body)) {
        const [first] = named(property);
        if (first.type === 'resource_declaration') resource.inner[named(first)[0].text] = this.resource(first, resource, locals);
      }
      return resource;
    });
    return parts.at(-1).type === 'for_statement' ? all : all[0];
  }

  module(node) {
    const [, where, body] = named(node);
    return this.expand(body, {}, (object, locals) => {
      const { params } = this.value(object, locals);
      const file = path.join(path.dirname(this.file), textOf(where));
      return new Template(file, params, this.made);
    })[0];
  }

  member(node, object, name) {
    if (object instanceof Template) return name === 'outputs' ? object.outputs : this.fail(node, `a module has no ${name}`);
    if (object instanceof Runtime) return new Runtime(`${object.text}.${name}`);
    if (object instanceof Resource) {
      if (name === 'id') return `/${object.type}/${object.name}`;
      return name === 'name' ? object.name : new Runtime(`${object.name}.${name}`);
    }
    if (object === undefined || !(name in object)) this.fail(node, `there is no ${name} in ${node.text}`);
    return object[name];
  }

  value(node, locals) {
    const parts = named(node);
    const of = (index) => this.value(parts[index], locals);
    switch (node.type) {
      case 'string': return this.string(node, locals);
      case 'number': return Number(node.text);
      case 'boolean': return node.text === 'true';
      case 'null': return null;
      case 'parenthesized_expression': return of(0);
      case 'array': return parts.map((one) => this.value(one, locals));
      case 'for_statement': return this.expand(node, locals, (body, inner) => this.value(body, inner));
      case 'object': return this.object(node, locals);
      case 'ternary_expression': return of(0) ? of(1) : of(2);
      case 'unary_expression': return !of(0);
      case 'member_expression': return this.member(node, of(0), parts[1].text);
      case 'subscript_expression': return of(0)[of(1)] ?? this.fail(node, 'no such element');
      case 'resource_expression': return of(0).inner[parts[1].text] ?? this.fail(node, `no ${parts[1].text} there`);
      case 'binary_expression': return this.binary(node, of);
      case 'call_expression': return this.call(node, locals);
      case 'identifier':
        if (node.text in locals) return locals[node.text];
        return this.lazy.has(node.text) ? this.look(node.text) : this.fail(node, `nothing is called ${node.text}`);
    }
    return this.fail(node, `${node.type} is not worked out here`);
  }

  string(node, locals) {
    return named(node).map((part) =>
      (part.type === 'interpolation' ? plain(this.value(named(part)[0], locals)) : textOf(part))).join('');
  }

  object(node, locals) {
    const found = {};
    for (const property of named(node)) {
      const [key, value] = named(property);
      if (key.type === 'resource_declaration') continue;
      found[key.type === 'string' ? this.string(key, locals) : key.text] = this.value(value, locals);
    }
    return found;
  }

  binary(node, of) {
    const operator = node.children[1].text;
    if (operator === '&&') return of(0) && of(1);
    if (operator === '||') return of(0) || of(1);
    if (operator === '==') return of(0) === of(1);
    return this.fail(node, `${operator} is not worked out here`);
  }

  call(node, locals) {
    const [name, values] = named(node);
    const given = named(values).map((one) => this.value(one, locals));
    if (name.text === 'loadJsonContent') {
      return JSON.parse(fs.readFileSync(path.join(path.dirname(this.file), given[0]), 'utf8'));
    }
    return functions[name.text]?.(...given) ?? this.fail(node, `${name.text} is not worked out here`);
  }
}

const decorators_of = new Map();
const [file, ...given] = process.argv.slice(2);
const typed = (text) => (/^\d+$/.test(text) ? Number(text) : text);
const params = Object.fromEntries(given.map((one) => {
  const [, name, value] = one.match(/^([^=]*)=(.*)$/s);
  return [name, typed(value)];
}));
const made = [];
const main = new Template(file, params, made);
process.stdout.write(JSON.stringify({
  resources: made.map(({ type, version, name, body }) => ({ type, version, name, body: plain(body) })),
  outputs: plain(main.outputs),
}));
