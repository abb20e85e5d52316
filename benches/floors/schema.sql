-- The least that an authorization on PostgreSQL has to touch: a grant, a command, the record.
CREATE TABLE grants (
    grant_id BIGINT PRIMARY KEY,
    vehicle_id UUID NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    ended_at BIGINT,
    uses BIGINT NOT NULL,
    revision BIGINT NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE commands (
    command_id UUID PRIMARY KEY,
    grant_id BIGINT NOT NULL REFERENCES grants,
    vehicle_id UUID NOT NULL,
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    idempotency_key UUID NOT NULL UNIQUE
);

CREATE TABLE audit_entries (
    entry_id UUID PRIMARY KEY,
    command_id UUID NOT NULL,
    body TEXT NOT NULL
);

INSERT INTO grants
SELECT n, gen_random_uuid(), 0, 9000000000000000, NULL, 0, 1 FROM generate_series(1, 10000) AS n;
