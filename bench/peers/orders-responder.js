#!/usr/bin/env node
// A service beside a broker: a small NATS client that checks and quotes orders.
//   node bench/peers/orders-responder.js PORT
'use strict';
const net = require('node:net');
const { quote } = require('./order.js');

const socket = net.connect({ host: '127.0.0.1', port: Number(process.argv[2]), noDelay: true });
let rest = null;
let corked = false;

// Everything that one turn of the event loop sends leaves in one write.
function send(text) {
  if (!corked) {
    corked = true;
    socket.cork();
    process.nextTick(() => {
      corked = false;
      socket.uncork();
    });
  }
  socket.write(text);
}

function receive(bytes) {
  if (rest) bytes = Buffer.concat([rest, bytes]);
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(10, start);
    if (end < 0) break;
    const words = bytes.latin1Slice(start, end - 1).split(' ');
    if (words[0] === 'MSG') {
      const size = Number(words[words.length - 1]);
      const next = end + 1 + size + 2;
      if (next > bytes.length) break;
      if (words.length === 5) answer(words[3], bytes.toString('utf8', end + 1, end + 1 + size));
      start = next;
    } else {
      if (words[0] === 'PING') send('PONG\r\n');
      else if (words[0] === 'PONG') console.log('ready');
      else if (words[0] === '-ERR') throw new Error(words.join(' '));
      start = end + 1;
    }
  }
  rest = start < bytes.length ? bytes.subarray(start) : null;
}

function answer(subject, payload) {
  const text = quote(payload);
  send(`PUB ${subject} ${Buffer.byteLength(text)}\r\n${text}\r\n`);
}

socket.on('data', receive);
socket.on('close', () => process.exit());
send('CONNECT {"verbose":false,"name":"orders"}\r\nSUB orders.quote 1\r\nPING\r\n');
