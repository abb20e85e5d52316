-- The record as a Merkle tree. Entries are queued in the transaction of what they describe, and
-- get their positions from whoever sequences next; entries from before are queued here.

ALTER TABLE audit_entries ADD COLUMN personal_commitment BYTEA;

-- What entries know of people beyond ids; erasing a row leaves the entry and its commitment.
CREATE TABLE personal_data (
    entry_id UUID NOT NULL PRIMARY KEY,
    salt BYTEA NOT NULL,
    personal TEXT NOT NULL
);

-- A hash is missing only for entries that are older than this table.
CREATE TABLE record_queue (
    occurred_at BIGINT NOT NULL,
    entry_id UUID NOT NULL,
    leaf_hash BYTEA,
    PRIMARY KEY (occurred_at, entry_id)
);
INSERT INTO record_queue (occurred_at, entry_id) SELECT occurred_at, entry_id FROM audit_entries;

CREATE TABLE record_positions (
    position BIGINT NOT NULL PRIMARY KEY,
    entry_id UUID NOT NULL UNIQUE
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
    checkpoint_size BIGINT NOT NULL
);
INSERT INTO record_state (only_row, size, checkpoint_size) VALUES (1, 0, 0);
