// Binds the keys of the load to one phone, and signs proofs for it ahead of time: signing is the phone's work, not the
// service's. Leaves in the folder warm.keys and bound.keys, lines "grant_token vehicle_id proof" for unlock.lua; each proof
// works once, and only in the next four minutes.
//
//   node benches/device_keys.mjs SERVICE_URL FOLDER COUNT
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const [service, folder, count] = process.argv.slice(2);
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const base64url = (data) => Buffer.from(data).toString('base64url');
const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
const header = base64url(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } }));
let nonce;

function proof(path, token) {
  const ath = token && createHash('sha256').update(token).digest('base64url');
  const claims = { jti: randomUUID(), htm: 'POST', htu: service + path, iat: 1, nonce, ath };
  const signed = `${header}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function post(path, headers, body) {
  const response = await fetch(service + path, {
    method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body),
  });
  nonce = response.headers.get('DPoP-Nonce') ?? nonce;
  return response.json();
}

const person = { email: 'guest@bench.example', password: 'a password for benchmarks only' };
const session = (await post('/v1/sessions', {}, person)).access_token;
const lines = readFileSync(`${folder}/unlock.keys`, 'utf8').trim().split('\n').map((line) => line.split(' '));
const bound = [];
for (const [token, vehicleId] of lines) {
  const grant = JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).grant_id;
  const path = `/v1/grants/${grant}/token`;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const minted = await post(path, { Authorization: `Bearer ${session}`, DPoP: proof(path) }, {});
    if (minted.grant_token) { bound.push([minted.grant_token, vehicleId]); break; }
    if (attempt > 0) throw new Error(JSON.stringify(minted));
  }
}
// The newest nonce, so that there is the most time.
await post('/v1/commands', { DPoP: 'none' }, {});
for (const [name, share] of [['warm', 0.25], ['bound', 1]]) {
  const each = Array.from({ length: count * share }, (_, number) => bound[number % bound.length]);
  const written = each.map(([token, vehicleId]) => `${token} ${vehicleId} ${proof('/v1/commands', token)}`);
  writeFileSync(`${folder}/${name}.keys`, `${written.join('\n')}\n`);
}
