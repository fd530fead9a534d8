#!/usr/bin/env node
// What a Node.js programmer would write in an afternoon: publish and subscribe over the NATS client
// protocol, on `net`, one process, nothing installed. It has no limits, no accounts and no headers.
//   node bench/peers/broker.js PORT
'use strict';
const net = require('node:net');
const { SubjectTree } = require('./subject-tree.js');

const tree = new SubjectTree();
const info = `INFO ${JSON.stringify({
  server_id: 'node', version: process.versions.node, proto: 1, max_payload: 1048576,
})}\r\n`;
const CRLF = Buffer.from('\r\n');

class Client {
  constructor(socket) {
    this.socket = socket;
    this.subscriptions = new Map();
    this.rest = null;
    this.corked = false;
    socket.setNoDelay(true);
    socket.write(info);
    socket.on('data', (bytes) => this.receive(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.close());
  }

  // Everything that one turn of the event loop sends to a client leaves in one write.
  send(head, payload) {
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(head, 'latin1');
    if (payload) this.socket.write(payload);
  }

  receive(bytes) {
    if (this.rest) bytes = Buffer.concat([this.rest, bytes]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(10, start);
      if (end < 0) break;
      const words = bytes.latin1Slice(start, end - 1).split(' ');
      if (words[0] === 'PUB') {
        const size = Number(words[words.length - 1]);
        const next = end + 1 + size + 2;
        if (next > bytes.length) break;
        this.publish(words[1], words.length === 4 ? words[2] : '', bytes.subarray(end + 1, next));
        start = next;
      } else {
        this.command(words);
        start = end + 1;
      }
    }
    this.rest = start < bytes.length ? bytes.subarray(start) : null;
  }

  // `payload` ends with CR LF.
  publish(subject, reply, payload) {
    deliver(subject, reply, payload);
  }

  command(words) {
    switch (words[0]) {
      case 'PING': return this.send('PONG\r\n');
      case 'SUB': {
        const subscription = { client: this, subject: words[1], sid: words[words.length - 1] };
        this.subscriptions.set(subscription.sid, subscription);
        return tree.add(subscription);
      }
      case 'UNSUB': {
        const subscription = this.subscriptions.get(words[1]);
        if (!subscription) return;
        this.subscriptions.delete(words[1]);
        return tree.remove(subscription);
      }
    }
  }

  close() {
    for (const subscription of this.subscriptions.values()) tree.remove(subscription);
    this.subscriptions.clear();
  }
}

function deliver(subject, reply, payload) {
  const size = payload.length - CRLF.length;
  const tail = reply ? ` ${reply} ${size}\r\n` : ` ${size}\r\n`;
  tree.match(subject, (subscription) => {
    subscription.client.send(`MSG ${subject} ${subscription.sid}${tail}`, payload);
  });
}

// `Kind` is Client or what extends it.
function serve(Kind, port) {
  net.createServer((socket) => new Kind(socket)).listen(
    { host: '127.0.0.1', port, backlog: 4096 }, () => console.log('listening'));
}

if (require.main === module) serve(Client, Number(process.argv[2]));

module.exports = { Client, deliver, serve };
