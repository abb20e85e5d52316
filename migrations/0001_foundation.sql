-- One schema for SQLite and PostgreSQL: ids are UUIDs made by the program, times are BIGINT
-- microseconds since 1970, words are TEXT with a CHECK. Every row belongs to an organization, and
-- composite keys keep references inside it.

CREATE TABLE organizations (
    organization_id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    user_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    email TEXT NOT NULL,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    password_hash TEXT,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, email),
    UNIQUE (organization_id, user_id)
);
CREATE INDEX users_by_email ON users (email);

CREATE TABLE sessions (
    session_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    user_id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT CHECK (end_reason IN ('signed_out', 'refresh_reused')),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, user_id)
);

CREATE TABLE refresh_tokens (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    session_id UUID NOT NULL REFERENCES sessions (session_id),
    issued_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE api_clients (
    api_client_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes TEXT NOT NULL,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_clients_by_organization ON api_clients (organization_id, api_client_id);

CREATE TABLE connections (
    connection_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'failed', 'lost')),
    status_reason TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'simulated')),
    state_hash BYTEA UNIQUE,
    sealed_tokens BYTEA,
    access_expires_at BIGINT,
    token_revision BIGINT NOT NULL,
    refresh_lease_until BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, connection_id),
    FOREIGN KEY (organization_id, owner_id) REFERENCES users (organization_id, user_id)
);

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
    removed_at BIGINT,
    connected_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    UNIQUE (owner_id, provider_vehicle_id),
    UNIQUE (organization_id, vehicle_id),
    FOREIGN KEY (organization_id, owner_id) REFERENCES users (organization_id, user_id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connections (organization_id, connection_id)
);

CREATE TABLE grants (
    grant_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
    vehicle_id UUID NOT NULL,
    issuer_id UUID NOT NULL,
    grantee_id UUID NOT NULL,
    entitlements TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    uses_max BIGINT,
    uses BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT CHECK (end_reason IN ('expired', 'revoked', 'relinquished', 'vehicle_removed', 'consent_lost')),
    end_note TEXT,
    revision BIGINT NOT NULL,
    label TEXT,
    metadata TEXT,
    issued_at BIGINT NOT NULL,
    CHECK (not_before < not_after),
    CHECK (uses >= 0 AND (uses_max IS NULL OR uses <= uses_max)),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    FOREIGN KEY (organization_id, vehicle_id) REFERENCES vehicles (organization_id, vehicle_id),
    FOREIGN KEY (organization_id, issuer_id) REFERENCES users (organization_id, user_id),
    FOREIGN KEY (organization_id, grantee_id) REFERENCES users (organization_id, user_id)
);
CREATE INDEX grants_by_organization ON grants (organization_id, grant_id);
CREATE INDEX grants_by_vehicle ON grants (vehicle_id, grant_id);
CREATE INDEX grants_by_grantee ON grants (grantee_id, grant_id);

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
    action TEXT NOT NULL CHECK (action IN ('lock', 'unlock')),
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
CREATE INDEX commands_by_vehicle ON commands (vehicle_id, command_id);
-- Few commands are in flight at any time, so one small index serves recovery and revocation.
CREATE INDEX commands_in_flight ON commands (answer_by) WHERE status = 'sending';
CREATE INDEX commands_to_check ON commands (check_at) WHERE check_at IS NOT NULL;

CREATE TABLE audit_entries (
    entry_id UUID NOT NULL PRIMARY KEY,
    organization_id UUID NOT NULL,
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
    details TEXT NOT NULL
);
CREATE INDEX audit_entries_by_organization ON audit_entries (organization_id, entry_id);
-- An entry about a grant is about the grant's vehicle too, so it needs no index of its own.
CREATE INDEX audit_entries_by_vehicle ON audit_entries (vehicle_id, entry_id);
CREATE INDEX audit_entries_by_user ON audit_entries (user_id, entry_id);
CREATE INDEX audit_entries_by_actor ON audit_entries (actor_id, entry_id);

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
