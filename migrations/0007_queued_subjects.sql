-- Whom the queued entries are about: for each, in the same order, how many ids in one byte, and the ids.
-- The sequencer needs not read every entry again to note them. Rows from before have none.

ALTER TABLE record_queue ADD COLUMN subjects BYTEA;
