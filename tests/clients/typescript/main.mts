// The main job with a client that openapi-typescript and openapi-fetch make of openapi.yaml.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function as(token: string): Client<paths> {
  const headers = { Authorization: `Bearer ${token}` };
  return createClient<paths>({ baseUrl: setting("KEYLEND_URL"), headers });
}

function done<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const once = () => ({ "Idempotency-Key": crypto.randomUUID() });
const owner = as(setting("OWNER_TOKEN"));
const guest = as(setting("GUEST_TOKEN"));

const cars = done(await owner.GET("/v1/vehicles", { params: { query: { limit: 1 } } }));
const car = cars.data[0];
if (car === undefined) throw new Error("the owner has no car");

const lent = done(await owner.POST("/v1/grants", {
  params: { header: once() },
  body: {
    vehicle_id: car.vehicle_id,
    grantee_id: setting("GUEST_ID"),
    entitlements: ["unlock", "lock", "read_lock_status"],
    not_before: setting("NOT_BEFORE"),
    not_after: setting("NOT_AFTER"),
    metadata: { booking: "B-1" },
  },
}));
const path = { grant_id: lent.grant_id };
const minted = done(await guest.POST("/v1/grants/{grant_id}/token", { params: { path } }));

const key = as(minted.grant_token);
const unlock = () => key.POST("/v1/commands", {
  params: { header: once() },
  body: { vehicle_id: car.vehicle_id, action: "unlock" },
});
const unlocked = done(await unlock());
const read = done(await key.GET("/v1/vehicles/{vehicle_id}/{observable}", {
  params: { path: { vehicle_id: car.vehicle_id, observable: "lock-status" } },
}));
if (read.observable !== "lock_status") throw new Error(`${read.observable} was read`);

const ended = done(await owner.POST("/v1/grants/{grant_id}/revoke", {
  params: { path, query: { wait: "drain" } },
}));
const refused = (await unlock()).error;

console.log(JSON.stringify({
  booking: lent.metadata?.["booking"],
  unlocked: unlocked.status,
  is_locked: read.is_locked,
  end_reason: ended.end_reason,
  refused: refused?.code,
}));
