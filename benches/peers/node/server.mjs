// The unlock of Keylend as a good Node developer writes it without Keylend: verify the grant token, read the
// grant and the car, check them, spend a use, keep command and audit entry durably, send it to the
// vehicle cloud, keep the outcome. For `make bench`. Its settings are those of ../go/service/main.go.
//
// With PostgreSQL there is a process for each core. SQLite has one writer, so one process.
import cluster from 'node:cluster';
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import Fastify from 'fastify';
import { exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import { Agent, request } from 'undici';
import { newId, openPostgres, openSqlite, REFUSED, REPLAY, REUSED } from './stores.mjs';

const { DB, CLOUD, PORT, CARS, KEYS, BATCH, PUBLIC_KEY } = process.env;
const TOKENS_KNOWN_MAX = 8192;

const cars = readFileSync(CARS, 'utf8').trim().split('\n').map((line) => line.split(' '));
const store = DB.startsWith('sqlite:') ? openSqlite(DB.slice('sqlite:'.length), Number(BATCH)) : openPostgres(DB);

// Makes a grant for each car, and leaves their tokens in KEYS.
async function prepare() {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  await store.create();
  const lines = [];
  for (const [, path] of cars) {
    const [grant, vehicle] = [newId(), newId()];
    await store.issue(grant, vehicle, path);
    const token = await new SignJWT({ grant, vehicle }).setSubject('guest').setProtectedHeader({ alg: 'EdDSA' })
      .setExpirationTime('1h').sign(privateKey);
    lines.push(`${token} ${vehicle}\n`);
  }
  writeFileSync(`${KEYS}.new`, lines.join(''));
  renameSync(`${KEYS}.new`, KEYS);
  return exportJWK(publicKey);
}

// Which tokens were verified is remembered, as in Keylend.
const known = new Map();
async function verified(token, key) {
  let claims = known.get(token);
  if (claims === undefined) {
    claims = (await jwtVerify(token, key, { algorithms: ['EdDSA'], requiredClaims: ['exp'] })).payload;
    if (known.size >= TOKENS_KNOWN_MAX) known.clear();
    known.set(token, claims);
  }
  if (Date.now() >= claims.exp * 1000) throw new Error('the token has expired');
  return claims;
}

const agent = new Agent({ connections: 256, pipelining: 1 });
async function send(command) {
  try {
    const answer = await request(`${CLOUD}${command.path}/commands/security/${command.action}`, {
      method: 'POST',
      dispatcher: agent,
      headers: { authorization: `Bearer ${cars[0][0]}`, 'sc-user-id': cars[0][2], 'x-request-id': command.id },
    });
    const said = await answer.body.json();
    if (answer.statusCode >= 500) return 'unknown';
    const succeeded = answer.statusCode === 200 && said.data?.attributes?.status?.value === 'SUCCESS';
    return succeeded ? 'acknowledged' : 'failed';
  } catch {
    return 'unknown';
  }
}

const body = {
  type: 'object',
  required: ['vehicle_id', 'action'],
  properties: { vehicle_id: { type: 'string' }, action: { enum: ['lock', 'unlock'] } },
};
const answers = {
  200: {
    type: 'object',
    properties: Object.fromEntries(['command_id', 'status', 'vehicle_id', 'action'].map((name) => [name, { type: 'string' }])),
  },
};

async function serve(key) {
  const app = Fastify();
  app.get('/readyz', async () => 'ready');
  app.post('/v1/commands', { schema: { body, response: answers } }, async (asked, reply) => {
    let claims;
    try {
      claims = await verified((asked.headers.authorization ?? '').slice('Bearer '.length), key);
    } catch {
      return reply.code(401).send({ code: 'token_invalid' });
    }
    const idempotencyKey = asked.headers['idempotency-key'];
    const { vehicle_id, action } = asked.body;
    if (!idempotencyKey || vehicle_id !== claims.vehicle) return reply.code(400).send({ code: 'invalid' });
    const command = {
      id: newId(), grant: claims.grant, vehicle: vehicle_id, user: claims.sub, key: idempotencyKey, action, status: 'sending',
      requestHash: createHash('sha256').update(JSON.stringify(asked.body)).digest(), at: Date.now() * 1000,
    };
    const verdict = await store.authorize(command);
    if (verdict === REFUSED) return reply.code(403).send({ code: 'refused' });
    if (verdict === REUSED) return reply.code(409).send({ code: 'idempotency_key_reused' });
    if (verdict !== REPLAY) {
      command.status = await send(command);
      command.at = Date.now() * 1000;
      await store.finish(command);
    }
    return { command_id: command.id, status: command.status, vehicle_id, action };
  });
  await app.listen({ port: Number(PORT), host: '127.0.0.1' });
}

if (!cluster.isPrimary) {
  await serve(await importJWK(JSON.parse(PUBLIC_KEY), 'EdDSA'));
} else {
  const key = await prepare();
  if (DB.startsWith('sqlite:')) {
    await serve(await importJWK(key, 'EdDSA'));
  } else {
    for (let core = 0; core < availableParallelism(); core += 1) cluster.fork({ PUBLIC_KEY: JSON.stringify(key) });
    cluster.on('exit', () => process.exit(1));
    process.on('SIGTERM', () => process.exit(0));
  }
}
