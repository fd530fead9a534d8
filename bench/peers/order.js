// What an order must be like, and what is quoted of it: the checks of bench/rules/order-schema.json as
// a Node.js programmer writes them by hand, or, with `--ajv`, that file compiled by Ajv.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const TIERS = new Set(['basic', 'silver', 'gold', 'vip']);
const CURRENCIES = new Set(['EUR', 'GBP', 'USD']);
const MEMBERS = new Set(['id', 'placed', 'customer', 'items', 'total', 'currency', 'paid']);
const SKU = /^[A-Z]{3}-[0-9]{5}$/;
const COUNTRY = /^[A-Z]{2}$/;

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value, most) => typeof value === 'string' && value.length <= most;

// What is wrong with an order; null if nothing is.
function fault(order) {
  if (!isObject(order)) return 'not an object';
  for (const name of Object.keys(order)) if (!MEMBERS.has(name)) return `unknown member ${name}`;
  if (!isText(order.id, 36) || order.id.length !== 36) return 'id';
  if (!isText(order.placed, 40)) return 'placed';
  if (typeof order.total !== 'number' || order.total < 0) return 'total';
  if (!CURRENCIES.has(order.currency)) return 'currency';
  if (order.paid !== undefined && typeof order.paid !== 'boolean') return 'paid';
  const problem = customerFault(order.customer);
  if (problem) return problem;
  const { items } = order;
  if (!Array.isArray(items) || items.length < 1 || items.length > 100) return 'items';
  for (const item of items) if (!isItem(item)) return 'item';
  return null;
}

function customerFault(customer) {
  if (!isObject(customer)) return 'customer';
  if (!Number.isInteger(customer.id) || customer.id < 1) return 'customer id';
  if (!TIERS.has(customer.tier)) return 'tier';
  if (customer.name !== undefined && !isText(customer.name, 100)) return 'name';
  const { country } = customer;
  if (country !== undefined && !(isText(country, 2) && COUNTRY.test(country))) return 'country';
  return null;
}

function isItem(item) {
  return isObject(item) && typeof item.sku === 'string' && SKU.test(item.sku)
    && Number.isInteger(item.quantity) && item.quantity >= 1 && item.quantity <= 1000
    && typeof item.price === 'number' && item.price > 0
    && (item.name === undefined || isText(item.name, 200));
}

// Ajv 6 has draft-07; of what the schema uses, 2020-12 means the same.
function ajvFault() {
  const Ajv = require('ajv');
  const file = path.join(__dirname, '..', 'rules', 'order-schema.json');
  const schema = JSON.parse(fs.readFileSync(file, 'utf8'));
  delete schema.$schema;
  const validate = new Ajv().compile(schema);
  return (order) => {
    if (validate(order)) return null;
    const [{ dataPath, message }] = validate.errors;
    return `${dataPath} ${message}`.trim();
  };
}

const check = process.argv.includes('--ajv') ? ajvFault() : fault;

// The reply to a request, as text.
function quote(payload) {
  let order;
  try {
    order = JSON.parse(payload);
  } catch (error) {
    return JSON.stringify({ error: error.message });
  }
  const problem = check(order);
  if (problem !== null) return JSON.stringify({ error: problem });
  return JSON.stringify({ id: order.id, placed: order.placed, total: order.total });
}

module.exports = { quote };
