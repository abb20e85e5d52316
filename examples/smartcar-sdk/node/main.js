// Everything an app may ask of one car, through Smartcar's own SDK for Node, unmodified. Keylend
// answers in Smartcar's place: the origin is Keylend's, and the access token is a grant token.
'use strict';

const smartcar = require('smartcar');

const { KEYLEND_URL, ACCESS_TOKEN } = process.env;
process.env.SMARTCAR_API_ORIGIN = KEYLEND_URL;
process.env.SMARTCAR_API_V3_ORIGIN = KEYLEND_URL;

// Prints one call as a line of JSON.
function show(call, fields) {
  console.log(JSON.stringify({ call, ...fields }));
}

// The named fields of what the SDK returned.
function only(result, ...names) {
  return Object.fromEntries(names.map((name) => [name, result[name]]));
}

async function main() {
  const { vehicles, paging } = await smartcar.getVehicles(ACCESS_TOKEN);
  show('vehicles', { vehicles, count: paging.count });

  const car = new smartcar.Vehicle(vehicles[0], ACCESS_TOKEN);
  show('attributes', only(await car.attributes(), 'id', 'make', 'model', 'year'));
  show('vin', only(await car.vin(), 'vin'));
  show('location', only(await car.location(), 'latitude', 'longitude'));
  show('odometer', only(await car.odometer(), 'distance'));
  show('battery', only(await car.battery(), 'percentRemaining', 'range'));
  show('battery_capacity', only(await car.batteryCapacity(), 'capacity'));
  show('charge', only(await car.charge(), 'isPluggedIn', 'state'));
  show('fuel', only(await car.fuel(), 'amountRemaining', 'percentRemaining', 'range'));
  show('tire_pressure',
    only(await car.tirePressure(), 'frontLeft', 'frontRight', 'backLeft', 'backRight'));
  show('engine_oil', only(await car.engineOil(), 'lifeRemaining'));
  show('lock_status', only(await car.lockStatus(), 'isLocked'));

  const signals = (await car.getSignals()).body.data;
  const odometer = signals.find((signal) => signal.id === 'odometer-traveleddistance');
  show('signals', { odometer: odometer.attributes.body.value });
  const signal = (await car.getSignal('closure-islocked')).body;
  show('signal', { isLocked: signal.attributes.body.value });
  const described = (await smartcar.getVehicle(ACCESS_TOKEN, car.id)).body;
  show('vehicle', { id: described.id, ...only(described.attributes, 'make', 'model', 'year') });

  show('unlock', only(await car.unlock(), 'status'));
  show('lock', only(await car.lock(), 'status'));
  show('start_charge', only(await car.startCharge(), 'status'));
  show('stop_charge', only(await car.stopCharge(), 'status'));
  show('set_charge_limit', only(await car.setChargeLimit(0.8), 'status'));
  show('charge_limit', only(await car.getChargeLimit(), 'limit'));

  const inMiles = new smartcar.Vehicle(car.id, ACCESS_TOKEN, { unitSystem: 'imperial' });
  const { distance, meta } = await inMiles.odometer();
  show('odometer_imperial', { distance, unitSystem: meta.unitSystem });

  const batch = await car.batch(['/odometer', '/']);
  const attributes = only(batch.attributes(), 'id', 'make', 'model', 'year');
  show('batch', { odometer: batch.odometer().distance, attributes });
  show('permissions', only(await car.permissions(), 'permissions'));

  const stranger = new smartcar.Vehicle('00000000-0000-7000-8000-000000000000', ACCESS_TOKEN);
  const refusal = await stranger.unlock().catch((error) => error);
  if (!(refusal instanceof smartcar.SmartcarError)) throw refusal;
  show('refused', only(refusal, 'type', 'statusCode'));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
