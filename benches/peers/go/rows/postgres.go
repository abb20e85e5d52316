package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

type postgres struct {
	*pgx.Conn
	grants                        []uuid.UUID
	command, entry                string
	queuedEntries, queuedSubjects []byte
}

const (
	facts = `SELECT g.*, v.*, o.disabled_at, e.disabled_at FROM grants g JOIN vehicles v ON v.vehicle_id = g.vehicle_id
  JOIN users o ON o.user_id = v.owner_id JOIN users e ON e.user_id = g.grantee_id WHERE g.grant_id = ANY($1)`
	spend   = `UPDATE grants SET uses = uses + 1 WHERE grant_id = ANY($1)`
	outcome = `UPDATE commands SET status = 'acknowledged', changed_at = $2 WHERE command_id = ANY($1)`
	queue   = `INSERT INTO record_queue (first_at, first_id, lowest, entries, subjects) VALUES ($1, $2, $2, $3, $4)`
)

func openPostgres(url string, batch int) *postgres {
	ctx := context.Background()
	connection, err := pgx.Connect(ctx, url)
	must(err)
	exec := func(text string, args ...any) {
		_, err := connection.Exec(ctx, text, args...)
		must(err)
	}
	exec(fmt.Sprintf(`CREATE TEMP TABLE sampled AS SELECT *, ROW_NUMBER() OVER () AS place FROM (SELECT DISTINCT ON (grant_id) * FROM commands
  WHERE status IN ('acknowledged', 'confirmed') AND grant_id IS NOT NULL ORDER BY grant_id LIMIT %d) chosen`, batch))
	// Two of each: the decision and the outcome.
	exec(`CREATE TEMP TABLE entries AS SELECT a.*, place, ROW_NUMBER() OVER (PARTITION BY place ORDER BY a.entry_id) AS step
  FROM sampled s JOIN audit_entries a ON a.command_id = s.command_id AND a.organization_id = s.organization_id`)
	exec("ANALYZE sampled")
	exec("ANALYZE entries")
	list := func(text string) pgx.Rows {
		rows, err := connection.Query(ctx, text)
		must(err)
		return rows
	}
	columns := func(table string) []string {
		names, err := pgx.CollectRows(list(`SELECT attname::text FROM pg_attribute WHERE attrelid = '`+table+`'::regclass AND attnum > 0
  AND NOT attisdropped`), pgx.RowTo[string])
		must(err)
		return names
	}
	grants, err := pgx.CollectRows(list("SELECT grant_id FROM sampled ORDER BY place"), pgx.RowTo[uuid.UUID])
	must(err)
	if len(grants) < batch {
		must(fmt.Errorf("the database has commands of %d grants; %d are needed", len(grants), batch))
	}
	copiedCommand := others(columns("commands"), "command_id", "idempotency_key")
	copiedEntry := others(columns("audit_entries"), "entry_id", "command_id")
	p := &postgres{
		Conn: connection, grants: grants,
		command: "INSERT INTO commands (command_id, idempotency_key, " + copiedCommand + ") SELECT new, new::text, " + copiedCommand +
			" FROM unnest($1::uuid[]) WITH ORDINALITY AS n (new, place) JOIN sampled USING (place)",
		entry: "INSERT INTO audit_entries (entry_id, command_id, " + copiedEntry + ") SELECT new, made_for, " + copiedEntry +
			" FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS n (new, made_for, place) JOIN entries USING (place) WHERE step = $3",
	}
	p.queuedEntries, p.queuedSubjects = queueRow(batch)
	return p
}

// write is one pipeline, which PostgreSQL takes as one transaction.
func (p *postgres) write(commands, before []uuid.UUID) error {
	now := time.Now().UnixMicro()
	var batch pgx.Batch
	batch.Queue(facts, p.grants)
	batch.Queue(spend, p.grants)
	batch.Queue(p.command, commands)
	batch.Queue(p.entry, newIDs(len(commands)), commands, 1)
	batch.Queue(outcome, before, now)
	batch.Queue(p.entry, newIDs(len(before)), before, 2)
	batch.Queue(queue, now, newID(), p.queuedEntries, p.queuedSubjects)
	return p.SendBatch(context.Background(), &batch).Close()
}

func newIDs(count int) []uuid.UUID {
	ids := make([]uuid.UUID, count)
	for place := range ids {
		ids[place] = newID()
	}
	return ids
}
