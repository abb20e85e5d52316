-- Erasing a person: the row stays, under its id, and says since when it says nothing else.

ALTER TABLE users ADD COLUMN erased_at BIGINT;
-- What a machine did for somebody is found by it; few entries have one.
CREATE INDEX audit_entries_by_acting_for ON audit_entries (acting_for, entry_id) WHERE acting_for IS NOT NULL;
