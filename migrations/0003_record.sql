-- The record as a Merkle tree. Entries are queued in the transaction of what they describe, and
-- get their positions from whoever sequences next; entries from before are queued here.

-- An entry is found by its organization and name, and needs no other index: whom entries are about is
-- noted in `record_subjects`, by the sequencer. The table is built anew, because SQLite cannot change a
-- primary key.
CREATE TABLE recorded_entries (
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
INSERT INTO recorded_entries (organization_id, entry_id, occurred_at, event, actor_kind, actor_id, acting_for, grant_id, vehicle_id, user_id, command_id, request_id, details)
    SELECT organization_id, entry_id, occurred_at, event, actor_kind, actor_id, acting_for, grant_id, vehicle_id, user_id, command_id, request_id, details FROM audit_entries;
DROP TABLE audit_entries;
ALTER TABLE recorded_entries RENAME TO audit_entries;
-- What entries know of people beyond ids; erasing a row leaves the entry and its commitment.
CREATE TABLE personal_data (
    entry_id UUID NOT NULL PRIMARY KEY,
    salt BYTEA NOT NULL,
    personal TEXT NOT NULL
);

-- One row for each transaction that recorded something, named after its first entry; `entries` holds
-- time, organization, name and hash of each, `lowest` is the smallest name. Entries that are older than this table are queued one
-- by one, by organization and name.
CREATE TABLE record_queue (
    first_at BIGINT NOT NULL,
    first_id UUID NOT NULL,
    organization_id UUID,
    entries BYTEA,
    lowest UUID NOT NULL,
    PRIMARY KEY (first_at, first_id),
    CHECK ((organization_id IS NULL) <> (entries IS NULL))
);
INSERT INTO record_queue (first_at, first_id, organization_id, lowest) SELECT occurred_at, entry_id, organization_id, entry_id FROM audit_entries;

-- Which entries have which positions, 256 in a row: organization and name of each. `reached` is the
-- greatest name up to here.
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

-- Tiles of C2SP tlog-tiles, each as wide as it is so far.
CREATE TABLE record_tiles (
    level BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, number)
);

-- One row. Whoever sequences holds it.
CREATE TABLE record_state (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    size BIGINT NOT NULL,
    checkpoint BYTEA,
    checkpoint_size BIGINT NOT NULL,
    newest_at BIGINT
);
INSERT INTO record_state (only_row, size, checkpoint_size) VALUES (1, 0, 0);
