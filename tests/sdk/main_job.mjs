// The main job through Smartcar's own client for Node, as it comes from npm. Whoever runs this
// sets SMARTCAR_API_ORIGIN to Keylend's address and GRANT_TOKEN to a digital key, reads one JSON
// line a step, and sends a line when the key has been revoked.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline/promises';

const { SMARTCAR_FOLDER, GRANT_TOKEN } = process.env;
const smartcar = createRequire(import.meta.url)(SMARTCAR_FOLDER);

function tell(step, result) {
  console.log(JSON.stringify({ step, ...result }));
}

async function refused(step, call) {
  try {
    tell(step, { answered: await call() });
  } catch (error) {
    if (!(error instanceof smartcar.SmartcarError)) throw error;
    const { statusCode, type, code, description, requestId } = error;
    tell(step, { statusCode, type, code: code ?? null, description, requestId });
  }
}

const { vehicles, paging } = await smartcar.getVehicles(GRANT_TOKEN);
tell('vehicles', { vehicles, paging });

const car = new smartcar.Vehicle(vehicles[0], GRANT_TOKEN);
const { id, make, model, year } = await car.attributes();
tell('attributes', { id, make, model, year });
tell('permissions', { permissions: (await car.permissions()).permissions });

async function lockStatus(step) {
  const { isLocked, doors, windows, sunroof, storage, chargingPort, meta } = await car.lockStatus();
  const lists = [doors, windows, sunroof, storage, chargingPort];
  tell(step, { isLocked, areLists: lists.every(Array.isArray), requestId: meta.requestId });
}

await lockStatus('lock_status');
for (const action of ['unlock', 'lock', 'unlock']) {
  const { status, message, meta } = await car[action]();
  tell(action, { status, message, requestId: meta.requestId });
  await lockStatus('lock_status');
}

// With another signature: the last letter of one carries bits that mean nothing, so the first is
// changed.
const [head, claims, signature] = GRANT_TOKEN.split('.');
const altered = `${head}.${claims}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
await refused('altered', () => new smartcar.Vehicle(vehicles[0], altered).unlock());
await refused('altered', () => smartcar.getVehicles(altered));
const other = '00000000-0000-7000-8000-000000000000';
await refused('other_vehicle', () => new smartcar.Vehicle(other, GRANT_TOKEN).unlock());

tell('waiting', {});
const lines = createInterface({ input: process.stdin });
await lines[Symbol.asyncIterator]().next();
lines.close();

await refused('revoked', () => car.unlock());
await refused('revoked', () => car.lock());
await refused('revoked', () => car.attributes());
await refused('revoked', () => car.lockStatus());
await refused('revoked', () => smartcar.getVehicles(GRANT_TOKEN));
tell('done', {});
