package main

// schema is for both databases.
const schema = `
CREATE TABLE IF NOT EXISTS vehicles (vehicle_id UUID PRIMARY KEY, path TEXT NOT NULL, suspended_at BIGINT);
CREATE TABLE IF NOT EXISTS grants (grant_id UUID PRIMARY KEY, vehicle_id UUID NOT NULL REFERENCES vehicles, user_id TEXT NOT NULL,
  not_before BIGINT NOT NULL, not_after BIGINT NOT NULL, revoked_at BIGINT, uses BIGINT NOT NULL, uses_max BIGINT);
CREATE TABLE IF NOT EXISTS commands (command_id UUID PRIMARY KEY, grant_id UUID NOT NULL, vehicle_id UUID NOT NULL,
  user_id TEXT NOT NULL, idempotency_key TEXT NOT NULL, request_hash BYTEA NOT NULL, action TEXT NOT NULL, status TEXT NOT NULL,
  created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, UNIQUE (user_id, idempotency_key));
CREATE INDEX IF NOT EXISTS commands_by_vehicle ON commands (vehicle_id, command_id);
CREATE TABLE IF NOT EXISTS audit (entry_id UUID PRIMARY KEY, at BIGINT NOT NULL, event TEXT NOT NULL, command_id UUID NOT NULL,
  grant_id UUID, vehicle_id UUID, user_id TEXT, details TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS audit_by_vehicle ON audit (vehicle_id, entry_id)`

const (
	addVehicle = `INSERT INTO vehicles VALUES ($1, $2, NULL)`
	addGrant   = `INSERT INTO grants VALUES ($1, $2, 'guest', 0, 9000000000000000, NULL, 0, NULL)`
	find       = `SELECT command_id, request_hash, status FROM commands WHERE user_id = $1 AND idempotency_key = $2`
	change     = `UPDATE commands SET status = $2, changed_at = $3 WHERE command_id = $1 AND status = 'sending'`
)
