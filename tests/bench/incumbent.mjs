// The yardstick: what the AWS-generated function does with a payload, written from its documented behaviour
// (gunzip, JSON from the first brace, one action and one source line an event), without sending.
// node incumbent.mjs PAYLOAD.json SECONDS -> {"events_per_s": ...}
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const pad = (number) => String(number).padStart(2, '0');

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

// It asks first whether the text is JSON, and parses it once more for the value.
function jsonFrom(text) {
  const start = text.indexOf('{');
  if (start < 0) return null;
  const rest = text.slice(start);
  return isJson(rest) ? JSON.parse(rest) : null;
}

const numeric = (text) => !Number.isNaN(Number.parseFloat(text)) && Number.isFinite(Number(text));

function fieldsOf(event) {
  if (!event.extractedFields) return jsonFrom(event.message) ?? {};
  const fields = {};
  for (const [key, value] of Object.entries(event.extractedFields)) {
    if (!value) continue;
    if (numeric(value)) {
      fields[key] = Number(value);
      continue;
    }
    const parsed = jsonFrom(value);
    if (parsed) fields['$' + key] = parsed;
    fields[key] = value;
  }
  return fields;
}

function body(invocation) {
  const payload = JSON.parse(gunzipSync(Buffer.from(invocation.awslogs.data, 'base64')).toString('utf8'));
  let lines = '';
  for (const event of payload.logEvents) {
    const time = new Date(Number(event.timestamp));
    const day = [time.getUTCFullYear(), pad(time.getUTCMonth() + 1), pad(time.getUTCDate())].join('.');
    const source = fieldsOf(event);
    source['@id'] = event.id;
    source['@timestamp'] = time.toISOString();
    source['@message'] = event.message;
    source['@owner'] = payload.owner;
    source['@log_group'] = payload.logGroup;
    source['@log_stream'] = payload.logStream;
    const action = { index: { _index: 'cwl-' + day, _type: payload.logGroup, _id: event.id } };
    lines += JSON.stringify(action) + '\n' + JSON.stringify(source) + '\n';
  }
  return [lines, payload.logEvents.length];
}

const [, , file, seconds] = process.argv;
const invocation = JSON.parse(readFileSync(file, 'utf8'));
const ends = (within) => performance.now() + within * 1000;
for (const warm = ends(Math.min(1, Number(seconds))); performance.now() < warm; ) body(invocation);
let events = 0;
const began = performance.now();
for (const end = ends(Number(seconds)); performance.now() < end; ) events += body(invocation)[1];
console.log(JSON.stringify({ events_per_s: (events * 1000) / (performance.now() - began) }));
