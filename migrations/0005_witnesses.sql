-- Witnesses of the record: the checkpoints that are put before them, and what they cosigned.

CREATE TABLE record_rounds (
    size BIGINT NOT NULL PRIMARY KEY,
    checkpoint BYTEA NOT NULL,
    opened_at BIGINT NOT NULL
);

-- A witness is named by its public key, so that another key of the same name is another witness.
CREATE TABLE record_cosignatures (
    witness TEXT NOT NULL,
    size BIGINT NOT NULL,
    cosignature BYTEA NOT NULL,
    cosigned_at BIGINT NOT NULL,
    PRIMARY KEY (witness, size)
);
