// Who wants which subject: a tree by token, with `*` and `>` as tokens of their own.
'use strict';

class SubjectTree {
  constructor() {
    this.root = new Map();
  }

  add(subscription) {
    let node = this.root;
    for (const token of subscription.subject.split('.')) {
      let next = node.get(token);
      if (!next) node.set(token, next = new Map());
      node = next;
    }
    if (!node.here) node.here = new Set();
    node.here.add(subscription);
  }

  remove(subscription) {
    const path = [];
    let node = this.root;
    for (const token of subscription.subject.split('.')) {
      path.push([node, token]);
      node = node.get(token);
      if (!node) return;
    }
    node.here?.delete(subscription);
    while (path.length && node.size === 0 && !node.here?.size) {
      const [parent, token] = path.pop();
      parent.delete(token);
      node = parent;
    }
  }

  match(subject, found) {
    walk(this.root, subject.split('.'), 0, found);
  }
}

function walk(node, tokens, depth, found) {
  if (depth === tokens.length) {
    if (node.here) for (const subscription of node.here) found(subscription);
    return;
  }
  const rest = node.get('>');
  if (rest?.here) for (const subscription of rest.here) found(subscription);
  const any = node.get('*');
  if (any) walk(any, tokens, depth + 1, found);
  const exact = node.get(tokens[depth]);
  if (exact) walk(exact, tokens, depth + 1, found);
}

module.exports = { SubjectTree };
