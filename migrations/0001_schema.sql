-- One schema for SQLite and PostgreSQL: ids are UUIDs made by the program, times are BIGINT
-- microseconds since 1970, words are TEXT with a CHECK. Every row belongs to an organization, and
-- composite keys keep references inside it.
--
-- A `revision` rises with every change of its row that a decision depends on. A deciding transaction
-- holds the rows that it read, at the revisions that it read: what narrows a right changes its own row
-- and no other (docs/adr/0024).

-- Tenants and the people and programs in them.

-- `holds`, here and on users, vehicles and grants, keeps the holds over the row that stand, as JSON, and `ends` the ends by
-- scope that may not be on each grant's row yet. A deciding transaction that waited for the row sees both as they are by
-- then; it would not see new rows of other tables.
CREATE TABLE organizations (
    organization_id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    holds TEXT,
    ends TEXT,
    revision BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL
);

-- Where apps may have the browsers of an organization's people back after a consent.
CREATE TABLE return_urls (
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    url TEXT NOT NULL,
    PRIMARY KEY (organization_id, url)
);

-- The row of an erased person stays, under its id, and says since when it says nothing else.
-- `recoveries` counts how often somebody else gave the account new credentials. Cars and grants keep the number
-- at which their owner, or the owner for the grantee, stood by them last: with another one they wait.
CREATE TABLE users (
    user_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    email TEXT NOT NULL,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'support', 'auditor', 'member')),
    password_hash TEXT,
    created_by_kind TEXT NOT NULL CHECK (created_by_kind IN ('user', 'api_client', 'system')),
    created_by UUID,
    claimed_at BIGINT,
    recoveries BIGINT NOT NULL DEFAULT 0,
    recovered_at BIGINT,
    recovered_by_kind TEXT CHECK (recovered_by_kind IN ('user', 'api_client', 'system')),
    recovered_by UUID,
    disabled_at BIGINT,
    erased_at BIGINT,
    external_ref TEXT,
    holds TEXT,
    ends TEXT,
    revision BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, email),
    UNIQUE (organization_id, user_id)
);
CREATE INDEX users_by_email ON users (email);
CREATE UNIQUE INDEX users_by_reference ON users (organization_id, external_ref) WHERE external_ref IS NOT NULL;
-- Whom an API client acts for because it made them.
CREATE INDEX users_of_clients ON users (created_by, user_id) WHERE claimed_at IS NULL;

-- Single-use links to accounts without credentials. `pin_hash` is over the link's secret and the PIN, so that
-- nobody who reads it can try PINs.
CREATE TABLE claims (
    claim_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    user_id UUID NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('join', 'recover')),
    made_by_kind TEXT NOT NULL CHECK (made_by_kind IN ('user', 'api_client', 'system')),
    made_by UUID,
    token_hash BYTEA NOT NULL UNIQUE,
    pin_hash BYTEA,
    pin_tries_left BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT CHECK (end_reason IN ('redeemed', 'replaced', 'pin_refused')),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, user_id)
);
CREATE INDEX claims_by_user ON claims (user_id) WHERE ended_at IS NULL;

CREATE TABLE sessions (
    session_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    user_id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    refreshed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT CHECK (end_reason IN ('signed_out', 'refresh_reused', 'ended_elsewhere', 'password_changed',
        'recovered', 'ended_by_admin', 'device_lost')),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, user_id)
);

CREATE INDEX sessions_by_user ON sessions (user_id, session_id);

CREATE TABLE refresh_tokens (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    session_id UUID NOT NULL REFERENCES sessions (session_id),
    issued_at BIGINT NOT NULL,
    used_at BIGINT
);

-- `vehicles` names the cars to which a client is limited, if it is.
CREATE TABLE api_clients (
    api_client_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    previous_secret_hash BYTEA,
    previous_secret_until BIGINT,
    scopes TEXT NOT NULL,
    vehicles TEXT,
    expires_at BIGINT,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_clients_by_organization ON api_clients (organization_id, api_client_id);

-- Which API clients people let act for them, with their `recoveries` at that time: what was allowed before somebody
-- else gave the account new credentials is not allowed any more, and what was allowed with those is not afterwards.
CREATE TABLE allowed_clients (
    user_id UUID NOT NULL,
    api_client_id UUID NOT NULL REFERENCES api_clients (api_client_id),
    organization_id UUID NOT NULL,
    recoveries BIGINT NOT NULL,
    allowed_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, api_client_id),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, user_id)
);

-- Answers that were given for idempotency keys.
CREATE TABLE idempotency_keys (
    principal_id UUID NOT NULL,
    route TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    organization_id UUID NOT NULL,
    request_hash BYTEA NOT NULL,
    sealed_answer BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (principal_id, route, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Owners' consents at the vehicle cloud, and their cars.

-- `provider_user_id` is the vehicle cloud's id of the owner. `asked_back_at` says when the owner was
-- last sent to mend the account with the car's maker. `sealed_consent` is what a browser came back with, until the
-- owner shows the code that only this browser was given; then, for as long as the code lives, what the owner was
-- answered of it. `browser_hash` is over the state that the browser brought and the secret that it was given then, so
-- that it reads `sealed_code` once more and nobody else does.
CREATE TABLE connections (
    connection_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'consented', 'active', 'failed', 'lost')),
    status_reason TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'simulated')),
    api_version TEXT NOT NULL CHECK (api_version IN ('v2.0', 'v3')),
    provider_user_id TEXT,
    return_url TEXT,
    state_hash BYTEA UNIQUE,
    sealed_consent BYTEA,
    completion_hash BYTEA,
    sealed_code BYTEA,
    browser_hash BYTEA UNIQUE,
    completion_tries_left BIGINT,
    consented_at BIGINT,
    asked_back_at BIGINT,
    sealed_tokens BYTEA,
    access_expires_at BIGINT,
    token_revision BIGINT NOT NULL,
    refresh_lease_until BIGINT,
    revision BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, connection_id),
    FOREIGN KEY (organization_id, owner_id) REFERENCES users (organization_id, user_id)
);

CREATE INDEX connections_by_owner ON connections (owner_id, connection_id);
CREATE INDEX connections_to_complete ON connections (consented_at) WHERE completion_hash IS NOT NULL;

-- `consents` counts how often the owner's consent came back after it was lost. Grants keep the number at which the
-- owner stood by them last: with another one they wait.
-- `last_unlocked_by` was authorized last to unlock it: whose grant has ended may lock it for a while, until that is
-- somebody else.
-- `transfer_to` may take the car with a consent of their own until `transfer_until`, although its owner consents still.
-- `version` rises with every change of what describes it; `external_ref` is the organization's own name.
-- Two grants that unlock an `exclusive` car never overlap, and have `buffer_minutes` between them.
-- `suspended_reason` and `suspended_at` say why a car cannot be used at present, although its owner
-- consents, and since when; `probe_at` and `probes`, when to see whether it works again, and how often
-- that was tried.
CREATE TABLE vehicles (
    vehicle_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    provider_vehicle_id TEXT NOT NULL,
    make TEXT NOT NULL,
    model TEXT NOT NULL,
    year BIGINT NOT NULL,
    permissions TEXT NOT NULL,
    suspended_reason TEXT,
    suspended_at BIGINT,
    probe_at BIGINT,
    probes BIGINT NOT NULL DEFAULT 0,
    removed_at BIGINT,
    label TEXT,
    plate TEXT,
    colour TEXT,
    vin TEXT,
    metadata TEXT,
    external_ref TEXT,
    sharing TEXT NOT NULL DEFAULT 'shared' CHECK (sharing IN ('shared', 'exclusive')),
    buffer_minutes BIGINT NOT NULL DEFAULT 0 CHECK (buffer_minutes BETWEEN 0 AND 1440),
    version BIGINT NOT NULL DEFAULT 1,
    connected_at BIGINT NOT NULL,
    owner_recoveries BIGINT NOT NULL,
    consents BIGINT NOT NULL DEFAULT 0,
    transfer_to UUID,
    transfer_until BIGINT,
    last_unlocked_by UUID,
    holds TEXT,
    ends TEXT,
    revision BIGINT NOT NULL DEFAULT 1,
    UNIQUE (owner_id, provider_vehicle_id),
    UNIQUE (organization_id, vehicle_id),
    FOREIGN KEY (organization_id, owner_id) REFERENCES users (organization_id, user_id),
    CHECK ((transfer_to IS NULL) = (transfer_until IS NULL)),
    FOREIGN KEY (organization_id, transfer_to) REFERENCES users (organization_id, user_id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connections (organization_id, connection_id)
);
CREATE UNIQUE INDEX vehicles_by_reference ON vehicles (organization_id, external_ref) WHERE external_ref IS NOT NULL;
CREATE INDEX vehicles_to_probe ON vehicles (probe_at) WHERE probe_at IS NOT NULL;
-- A car has one owner in an organization.
CREATE UNIQUE INDEX vehicles_one_owner ON vehicles (organization_id, provider_vehicle_id) WHERE removed_at IS NULL;
CREATE INDEX vehicles_by_connection ON vehicles (connection_id);
-- The vehicle cloud names cars by its own ids.
CREATE INDEX vehicles_by_provider ON vehicles (provider_vehicle_id);

-- Events of the vehicle cloud that were taken in, so that a repeated delivery does nothing.
CREATE TABLE webhook_events (
    event_id TEXT NOT NULL PRIMARY KEY,
    received_at BIGINT NOT NULL
);
CREATE INDEX webhook_events_by_age ON webhook_events (received_at);

-- Times in which the vehicle cloud may verify that this service knows the secret of its webhooks, at an address that
-- holds the text of this digest.
CREATE TABLE webhook_registrations (
    webhook_registration_id UUID NOT NULL PRIMARY KEY,
    address_hash BYTEA NOT NULL,
    opened_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    answers_left BIGINT NOT NULL
);

-- Keys, and what is done with them.

-- `revision` rises with what a decision depends on, `version` with every change that somebody made, uses and confirming
-- apart: it is what clients name in `If-Match`. `leave_lock` says that the car can be locked for `grace_minutes` after the act that
-- ended it. `ending_told_for` is the `not_after` of which it was recorded that it is near, `over_told_at` since when it is recorded
-- that the grant is over. Of one with a `statement` the car is read at both ends, once each.
CREATE TABLE grants (
    grant_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    vehicle_id UUID NOT NULL,
    issuer_id UUID NOT NULL,
    grantee_id UUID NOT NULL,
    entitlements TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    grace_minutes BIGINT NOT NULL CHECK (grace_minutes BETWEEN 0 AND 1440),
    uses_max BIGINT,
    uses BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT CHECK (end_reason IN ('expired', 'revoked', 'relinquished', 'vehicle_removed', 'consent_lost')),
    end_note TEXT,
    leave_lock BOOLEAN NOT NULL DEFAULT FALSE,
    grantee_recoveries BIGINT NOT NULL,
    vehicle_consents BIGINT NOT NULL,
    holds TEXT,
    revision BIGINT NOT NULL DEFAULT 1,
    version BIGINT NOT NULL DEFAULT 1,
    label TEXT,
    metadata TEXT,
    external_ref TEXT,
    instructions TEXT,
    fallback_text TEXT,
    return_terms TEXT,
    statement BOOLEAN NOT NULL DEFAULT FALSE,
    require_device_key BOOLEAN NOT NULL DEFAULT FALSE,
    issued_at BIGINT NOT NULL,
    ending_told_for BIGINT,
    over_told_at BIGINT,
    start_read_at BIGINT,
    end_read_at BIGINT,
    CHECK (not_before < not_after),
    CHECK (uses >= 0 AND (uses_max IS NULL OR uses <= uses_max)),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    FOREIGN KEY (organization_id, vehicle_id) REFERENCES vehicles (organization_id, vehicle_id),
    FOREIGN KEY (organization_id, issuer_id) REFERENCES users (organization_id, user_id),
    FOREIGN KEY (organization_id, grantee_id) REFERENCES users (organization_id, user_id)
);
CREATE INDEX grants_by_organization ON grants (organization_id, grant_id);
-- The newest of all that may still allow something.
CREATE INDEX grants_by_issue ON grants (organization_id, issued_at) WHERE ended_at IS NULL;
CREATE INDEX grants_by_reference ON grants (organization_id, external_ref, grant_id) WHERE external_ref IS NOT NULL;
CREATE INDEX grants_by_vehicle ON grants (vehicle_id, grant_id);
CREATE INDEX grants_by_end ON grants (vehicle_id, not_after) WHERE ended_at IS NULL;
CREATE INDEX grants_by_grantee ON grants (grantee_id, grant_id);
CREATE INDEX grants_to_be_over ON grants (not_after) WHERE ended_at IS NULL AND over_told_at IS NULL;
CREATE INDEX grants_to_read_at_start ON grants (grant_id) WHERE statement AND uses > 0 AND start_read_at IS NULL;
CREATE INDEX grants_to_read_at_end ON grants (not_after) WHERE statement AND uses > 0 AND end_read_at IS NULL;
CREATE INDEX grants_left_lock ON grants (ended_at) WHERE leave_lock AND over_told_at IS NULL;

-- The keys of people's devices. A key that was revoked is kept, so that nothing is bound to it again.
CREATE TABLE device_keys (
    user_id UUID NOT NULL,
    thumbprint TEXT NOT NULL,
    organization_id UUID NOT NULL,
    added_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (user_id, thumbprint),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, user_id)
);

-- Grant tokens that have not expired. `device_key` is the key of the device that alone can show it.
CREATE TABLE grant_tokens (
    token_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    grant_id UUID NOT NULL REFERENCES grants (grant_id),
    user_id UUID NOT NULL,
    device_key TEXT,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    FOREIGN KEY (user_id, device_key) REFERENCES device_keys (user_id, thumbprint)
);
CREATE INDEX grant_tokens_by_grant ON grant_tokens (grant_id, token_id);
CREATE INDEX grant_tokens_by_device ON grant_tokens (user_id, device_key) WHERE device_key IS NOT NULL;
CREATE INDEX grant_tokens_by_expiry ON grant_tokens (expires_at);

-- Proofs of devices that were used, by which request, while some instance may still take them for fresh. Until when that is,
-- follows from the nonce in the proof.
CREATE TABLE spent_proofs (
    fresh_until BIGINT NOT NULL,
    proof_digest BYTEA NOT NULL,
    spent_by UUID NOT NULL,
    PRIMARY KEY (fresh_until, proof_digest)
);

-- What cars were seen as at both ends of a grant, as JSON.
CREATE TABLE grant_readings (
    grant_id UUID NOT NULL REFERENCES grants (grant_id),
    side TEXT NOT NULL CHECK (side IN ('start', 'end')),
    observable TEXT NOT NULL,
    reading TEXT NOT NULL,
    fetched_at BIGINT NOT NULL,
    PRIMARY KEY (grant_id, side, observable)
);
CREATE INDEX grant_readings_by_age ON grant_readings (fetched_at);

-- Guests' wishes to keep a car for longer. A grant has at most one that is undecided: another one takes its place.
CREATE TABLE extension_requests (
    extension_request_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    grant_id UUID NOT NULL REFERENCES grants (grant_id),
    not_after BIGINT NOT NULL,
    reason TEXT,
    requested_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decision TEXT CHECK (decision IN ('approved', 'declined')),
    decided_at BIGINT,
    CHECK ((decision IS NULL) = (decided_at IS NULL))
);
CREATE UNIQUE INDEX extension_requests_undecided ON extension_requests (grant_id) WHERE decision IS NULL;
CREATE INDEX extension_requests_by_grant ON extension_requests (grant_id, extension_request_id);

-- Pauses of what grants allow, over a grant, a person, a car or an organization.
CREATE TABLE holds (
    hold_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    scope_kind TEXT NOT NULL CHECK (scope_kind IN ('grant', 'user', 'vehicle', 'organization')),
    scope_id UUID NOT NULL,
    rank TEXT NOT NULL CHECK (rank IN ('guest', 'owner', 'support', 'admin')),
    reason TEXT,
    held_until BIGINT,
    allow_lock BOOLEAN NOT NULL,
    placed_by_kind TEXT NOT NULL CHECK (placed_by_kind IN ('user', 'api_client', 'system')),
    placed_by UUID,
    placed_at BIGINT NOT NULL,
    lifted_at BIGINT,
    over_told_at BIGINT
);
CREATE INDEX holds_by_organization ON holds (organization_id, hold_id);
CREATE INDEX holds_to_be_over ON holds (held_until) WHERE lifted_at IS NULL AND over_told_at IS NULL;
CREATE INDEX holds_standing ON holds (scope_id) WHERE lifted_at IS NULL;

-- Ends of all grants within a scope: those issued before a time, and only those with this reference if one is named. Until
-- `completed_at` some grants may not have it on their own rows.
CREATE TABLE scope_ends (
    end_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    scope_kind TEXT NOT NULL CHECK (scope_kind IN ('grant', 'user', 'vehicle', 'organization')),
    scope_id UUID NOT NULL,
    issued_before BIGINT NOT NULL,
    external_ref TEXT,
    end_reason TEXT NOT NULL CHECK (end_reason IN ('revoked', 'vehicle_removed')),
    reason TEXT,
    ended_by_kind TEXT NOT NULL CHECK (ended_by_kind IN ('user', 'api_client', 'system')),
    ended_by UUID,
    ended_at BIGINT NOT NULL,
    grants BIGINT NOT NULL,
    completed_at BIGINT
);
CREATE INDEX scope_ends_open ON scope_ends (ended_at) WHERE completed_at IS NULL;

-- Commands and audit entries name rows that were read in the same transaction; foreign keys would
-- only make the hot path pay for what it knows.
CREATE TABLE commands (
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
    causes TEXT NOT NULL,
    user_message TEXT,
    retry_after_ms BIGINT,
    created_at BIGINT NOT NULL,
    send_by BIGINT NOT NULL,
    abandon_at BIGINT NOT NULL,
    instance_id UUID NOT NULL,
    changed_at BIGINT NOT NULL,
    check_at BIGINT,
    checks BIGINT NOT NULL,
    UNIQUE (principal_id, idempotency_key)
);
CREATE INDEX commands_by_vehicle ON commands (vehicle_id, command_id);
-- Few commands are in flight at any time, so one small index serves recovery and revocation.
CREATE INDEX commands_in_flight ON commands (abandon_at) WHERE status = 'sending';
CREATE INDEX commands_to_check ON commands (check_at) WHERE check_at IS NOT NULL;

-- The record, and the Merkle tree over it. Entries are queued in the transaction of what they
-- describe, and get their positions from the next process that sequences.

-- An entry is found by its organization and id, and needs no other index: whom entries are about is
-- noted in `record_subjects`, by the sequencer.
CREATE TABLE audit_entries (
    organization_id UUID NOT NULL,
    entry_id UUID NOT NULL,
    occurred_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'api_client', 'system')),
    actor_id UUID,
    acting_for UUID,
    grant_id UUID,
    vehicle_id UUID,
    user_id UUID,
    command_id UUID,
    request_id TEXT,
    details TEXT NOT NULL,
    personal_commitment BYTEA,
    PRIMARY KEY (organization_id, entry_id)
);

-- What entries know of people beyond ids; erasing a row leaves the entry and its commitment.
CREATE TABLE personal_data (
    entry_id UUID NOT NULL PRIMARY KEY,
    salt BYTEA NOT NULL,
    personal TEXT NOT NULL
);

-- One row for each transaction that recorded something, named after its first entry: `entries` holds
-- time, organization, id and hash of each, `subjects` whom each is about, in the same order: how many
-- ids in one byte, and the ids. `lowest` is the smallest id of an entry.
CREATE TABLE record_queue (
    first_at BIGINT NOT NULL,
    first_id UUID NOT NULL,
    entries BYTEA NOT NULL,
    subjects BYTEA NOT NULL,
    lowest UUID NOT NULL,
    PRIMARY KEY (first_at, first_id)
);

-- Which entries have which positions, 256 in a row: organization and id of each. `reached` is the
-- greatest id up to here.
CREATE TABLE record_bundles (
    number BIGINT NOT NULL PRIMARY KEY,
    entries BYTEA NOT NULL,
    lowest UUID NOT NULL,
    reached UUID NOT NULL
);
CREATE INDEX record_bundles_by_reach ON record_bundles (reached, number);

-- Which cars and people the entries with a position are about. An index by car in the transaction of each
-- entry would touch as many pages as there are cars; many entries later it touches them once.
CREATE TABLE record_subjects (
    subject_id UUID NOT NULL,
    entry_id UUID NOT NULL,
    PRIMARY KEY (subject_id, entry_id)
);

-- Which entries of an organization have which positions, so that its events are read without looking at those of others:
-- position (8 bytes) and id (16 bytes) of each, some at a time, in order. `last_position` is that of the last.
CREATE TABLE organization_entries (
    organization_id UUID NOT NULL,
    last_position BIGINT NOT NULL,
    entries BYTEA NOT NULL,
    PRIMARY KEY (organization_id, last_position)
);

-- Addresses that events are sent to. Entries at positions below `next_position` were sent, or are in `webhook_deliveries` to be sent
-- again, or are not for the endpoint. `due_at` is when it is looked at next; until `leased_until` one process is sending.
CREATE TABLE webhook_endpoints (
    webhook_endpoint_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    url TEXT NOT NULL,
    description TEXT,
    types TEXT,
    secret BYTEA NOT NULL,
    previous_secret BYTEA,
    previous_secret_until BIGINT,
    next_position BIGINT NOT NULL,
    paused_reason TEXT CHECK (paused_reason IN ('requested', 'unreachable', 'gone')),
    paused_at BIGINT,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    due_at BIGINT,
    leased_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK ((paused_reason IS NULL) = (paused_at IS NULL))
);
CREATE INDEX webhook_endpoints_by_organization ON webhook_endpoints (organization_id, webhook_endpoint_id);
CREATE INDEX webhook_endpoints_due ON webhook_endpoints (due_at) WHERE due_at IS NOT NULL;

-- What became of events that were sent to endpoints. `subject_id` is what one has an order with others by. Those with `next_attempt_at`
-- are sent again.
CREATE TABLE webhook_deliveries (
    webhook_endpoint_id UUID NOT NULL,
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    position BIGINT NOT NULL,
    subject_id UUID,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed')),
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT,
    attempted_at BIGINT,
    answer_status BIGINT,
    answer TEXT,
    fault TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (webhook_endpoint_id, event_id),
    CHECK ((status = 'waiting') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_endpoint_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_waiting_subjects ON webhook_deliveries (webhook_endpoint_id, subject_id, created_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (event_id) WHERE next_attempt_at IS NULL;

-- Tiles of C2SP tlog-tiles, each as wide as it is so far.
CREATE TABLE record_tiles (
    level BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, number)
);

-- One row, which the process that sequences holds. Entries below `archived` are in an archive; those
-- below `dropped` are no longer here. Their positions and hashes stay.
CREATE TABLE record_state (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    size BIGINT NOT NULL,
    checkpoint BYTEA,
    checkpoint_size BIGINT NOT NULL,
    newest_at BIGINT,
    archived BIGINT NOT NULL DEFAULT 0,
    dropped BIGINT NOT NULL DEFAULT 0
);
INSERT INTO record_state (only_row, size, checkpoint_size) VALUES (1, 0, 0);

-- The checkpoints that are put before witnesses, and what those cosigned. A witness is named by its
-- public key, so that another key of the same name is another witness.
CREATE TABLE record_rounds (
    size BIGINT NOT NULL PRIMARY KEY,
    checkpoint BYTEA NOT NULL,
    opened_at BIGINT NOT NULL
);

CREATE TABLE record_cosignatures (
    witness TEXT NOT NULL,
    size BIGINT NOT NULL,
    cosignature BYTEA NOT NULL,
    cosigned_at BIGINT NOT NULL,
    PRIMARY KEY (witness, size)
);

-- The origins of web apps whose scripts may read what the service answers to people of the organization.
CREATE TABLE allowed_origins (
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    origin TEXT NOT NULL,
    PRIMARY KEY (organization_id, origin)
);
