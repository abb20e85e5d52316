-- Erasing a person: the row stays, under its id, and says since when it says nothing else.

ALTER TABLE users ADD COLUMN erased_at BIGINT;
