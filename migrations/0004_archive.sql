-- Old entries can be moved into files. Their positions and hashes stay.

-- Entries below `archived` are in an archive; those below `dropped` are no longer here.
ALTER TABLE record_state ADD COLUMN archived BIGINT NOT NULL DEFAULT 0;
ALTER TABLE record_state ADD COLUMN dropped BIGINT NOT NULL DEFAULT 0;
