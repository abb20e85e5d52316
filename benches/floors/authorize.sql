-- pgbench script: check, intent and audit entry in one statement, one durable commit each.
\set grant_id random(1, 10000)
WITH allowed AS (
    UPDATE grants SET uses = uses + 1, revision = revision + 1
    WHERE grant_id = :grant_id AND ended_at IS NULL
      AND not_before <= 1700000000000000 AND 1700000000000000 < not_after
    RETURNING grant_id, vehicle_id
), intent AS (
    INSERT INTO commands (command_id, grant_id, vehicle_id, action, status, idempotency_key)
    SELECT gen_random_uuid(), grant_id, vehicle_id, 'unlock', 'sending', gen_random_uuid()
    FROM allowed
    RETURNING command_id
)
INSERT INTO audit_entries (entry_id, command_id, body)
SELECT gen_random_uuid(), command_id, '{"event":"command.authorized","action":"unlock"}'
FROM intent;
