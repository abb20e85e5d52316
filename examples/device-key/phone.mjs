// A guest's app whose key is bound to the phone: npm install dpop, then
//   KEYLEND_URL=… SESSION=<access token of the guest> GRANT_ID=grt_… VEHICLE_ID=veh_… node phone.mjs
// In a browser it is the same; there the key pair is kept in IndexedDB.
const dpop = await import(process.env.DPOP ?? 'dpop');
const { KEYLEND_URL, SESSION, GRANT_ID, VEHICLE_ID } = process.env;

const keyPair = await dpop.generateKeyPair('ES256', { extractable: false });
let nonce;

// Sends a request with a proof of this phone, and once more if the service asks for its nonce.
async function send(method, path, authorization, body, accessToken) {
  const url = KEYLEND_URL + path;
  const headers = { Authorization: authorization, 'Content-Type': 'application/json' };
  if (method === 'POST') headers['Idempotency-Key'] = crypto.randomUUID();
  for (let attempt = 0; ; attempt += 1) {
    headers.DPoP = await dpop.generateProof(keyPair, url, method, nonce, accessToken);
    const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    nonce = response.headers.get('DPoP-Nonce') ?? nonce;
    const answer = await response.json();
    if (answer.code !== 'use_dpop_nonce' || attempt > 0) return { status: response.status, proof: headers.DPoP, ...answer };
  }
}

const key = await send('POST', `/v1/grants/${GRANT_ID}/token`, `Bearer ${SESSION}`, {});
console.log(JSON.stringify({ token_type: key.token_type, device_key: key.device_key }));
console.log(JSON.stringify({ thumbprint: await dpop.calculateThumbprint(keyPair.publicKey) }));

const shown = `DPoP ${key.grant_token}`;
const unlock = { vehicle_id: VEHICLE_ID, action: 'unlock' };
const opened = await send('POST', '/v1/commands', shown, unlock, key.grant_token);
console.log(JSON.stringify({ action: opened.action, status: opened.status }));
const state = await send('GET', `/v1/vehicles/${VEHICLE_ID}/lock-status`, shown, undefined, key.grant_token);
console.log(JSON.stringify({ locked: state.is_locked }));

// An attacker who copied the token and the proof is refused: the proof was used before.
const copied = await fetch(`${KEYLEND_URL}/v1/commands`, {
  method: 'POST',
  headers: { Authorization: shown, DPoP: opened.proof, 'Idempotency-Key': 'copied', 'Content-Type': 'application/json' },
  body: JSON.stringify(unlock),
});
console.log(JSON.stringify({ copied: copied.status, code: (await copied.json()).code }));
