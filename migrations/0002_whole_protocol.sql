-- What Smartcar offers beyond lock and unlock: commands that are told a number or a place, consents
-- by either version of the API, cars and consents that are suspended until somebody acts, and what
-- the vehicle cloud sends by itself.

-- A CHECK cannot be changed in SQLite: the table is built anew.
CREATE TABLE commands_with_parameters (
    command_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    vehicle_id UUID NOT NULL,
    grant_id UUID,
    user_id UUID NOT NULL,
    principal_id UUID NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('lock', 'unlock', 'start_charge', 'stop_charge', 'set_charge_limit', 'set_destination')),
    parameters TEXT,
    status TEXT NOT NULL CHECK (status IN ('refused', 'sending', 'acknowledged', 'confirmed', 'unconfirmed', 'failed', 'unknown', 'contradicted', 'unresolved', 'cancelled', 'expired')),
    evidence TEXT NOT NULL CHECK (evidence IN ('none', 'provider_ack', 'state_observed')),
    observed_at BIGINT,
    reasons TEXT NOT NULL,
    user_message TEXT,
    retry_after_ms BIGINT,
    created_at BIGINT NOT NULL,
    send_by BIGINT NOT NULL,
    answer_by BIGINT NOT NULL,
    instance_id UUID NOT NULL,
    changed_at BIGINT NOT NULL,
    check_at BIGINT,
    checks BIGINT NOT NULL,
    UNIQUE (principal_id, idempotency_key)
);
INSERT INTO commands_with_parameters (command_id, organization_id, vehicle_id, grant_id, user_id, principal_id, idempotency_key, request_hash, action, status, evidence, observed_at, reasons, user_message, retry_after_ms, created_at, send_by, answer_by, instance_id, changed_at, check_at, checks)
    SELECT command_id, organization_id, vehicle_id, grant_id, user_id, principal_id, idempotency_key, request_hash, action, status, evidence, observed_at, reasons, user_message, retry_after_ms, created_at, send_by, answer_by, instance_id, changed_at, check_at, checks FROM commands;
DROP TABLE commands;
ALTER TABLE commands_with_parameters RENAME TO commands;
CREATE INDEX commands_by_vehicle ON commands (vehicle_id, command_id);
-- Few commands are in flight at any time, so one small index serves recovery and revocation.
CREATE INDEX commands_in_flight ON commands (answer_by) WHERE status = 'sending';
CREATE INDEX commands_to_check ON commands (check_at) WHERE check_at IS NOT NULL;

ALTER TABLE connections ADD COLUMN api_version TEXT NOT NULL DEFAULT 'v2.0' CHECK (api_version IN ('v2.0', 'v3'));
-- The vehicle cloud's id of the owner.
ALTER TABLE connections ADD COLUMN provider_user_id TEXT;
-- When the owner was last sent to mend the account with the car's maker.
ALTER TABLE connections ADD COLUMN asked_back_at BIGINT;

-- Why a car cannot be used at present, although its owner consents, and since when.
ALTER TABLE vehicles ADD COLUMN suspended_reason TEXT;
ALTER TABLE vehicles ADD COLUMN suspended_at BIGINT;
-- When to see whether a suspended car works again, and how often that was tried.
ALTER TABLE vehicles ADD COLUMN probe_at BIGINT;
ALTER TABLE vehicles ADD COLUMN probes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX vehicles_to_probe ON vehicles (probe_at) WHERE probe_at IS NOT NULL;
-- The vehicle cloud names cars by its own ids.
CREATE INDEX vehicles_by_provider ON vehicles (provider_vehicle_id);

-- Events of the vehicle cloud that were taken in, so that a repeated delivery does nothing.
CREATE TABLE webhook_events (
    event_id TEXT NOT NULL PRIMARY KEY,
    received_at BIGINT NOT NULL
);
CREATE INDEX webhook_events_by_age ON webhook_events (received_at);

-- Times in which the vehicle cloud may verify that this service knows the secret of its webhooks.
CREATE TABLE webhook_registrations (
    webhook_registration_id UUID NOT NULL PRIMARY KEY,
    opened_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    answers_left BIGINT NOT NULL
);
