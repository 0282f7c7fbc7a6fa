// Judges Kubernetes resources by their published schemas: a JSON array of them on standard input, an array of complaints
// for each on standard output.
//
// The schemas say what a known field must be, and pass over fields that they do not know. A cluster does not (it prunes
// them, or refuses), so each resource is given to its validator behind a proxy that notes which fields are looked at: a field
// that the validator never asked for is one that the schema does not have.
'use strict';

const groups = {
  'gateway.networking.k8s.io/v1': '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1',
  'keda.sh/v1alpha1': '@kubernetes-models/keda/keda.sh/v1alpha1',
};

/** The resource as one of its model, which can validate itself; not by its constructor, which would fill in what is missing. */
function modelOf(resource) {
  const { apiVersion, kind } = resource;
  const models = require(groups[apiVersion] || `kubernetes-models/${apiVersion}`);
  if (!models[kind]) throw new Error(`no kind ${kind} in ${apiVersion}`);
  return Object.setPrototypeOf({ ...resource }, models[kind].prototype);
}

/** `value` as it is, but for `seen`, which gets every path that is read. */
function watched(value, path, seen) {
  if (value === null || typeof value !== 'object') return value;
  return new Proxy(value, {
    get(target, key) {
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return Reflect.get(target, key);
      seen.add(`${path}/${key}`);
      return watched(target[key], `${path}/${key}`, seen);
    },
  });
}

function unknownFields(value, path, seen) {
  if (value === null || typeof value !== 'object') return [];
  return Object.keys(value).flatMap(key => {
    const at = `${path}/${key}`;
    return seen.has(at) ? unknownFields(value[key], at, seen) : [`${at}: the schema has no such field`];
  });
}

function complaintsAbout(resource) {
  const seen = new Set();
  try {
    watched(modelOf(resource), '', seen).validate();
  } catch (failure) {
    return [failure.message];
  }
  return unknownFields(resource, '', seen);
}

const resources = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(resources.map(complaintsAbout)));
