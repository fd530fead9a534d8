#!/usr/bin/env node
// The plain broker, with orders checked and quoted in the broker itself.
//   node bench/peers/orders-broker.js PORT [--ajv]
'use strict';
const { Client, deliver, serve } = require('./broker.js');
const { quote } = require('./order.js');

class OrdersClient extends Client {
  publish(subject, reply, payload) {
    if (subject !== 'orders.quote') return super.publish(subject, reply, payload);
    const answer = quote(payload.toString('utf8', 0, payload.length - 2));
    if (reply) deliver(reply, '', Buffer.from(`${answer}\r\n`));
  }
}

serve(OrdersClient, Number(process.argv[2]));
