package main

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/mattn/go-sqlite3"
)

type sqlite struct {
	begin, commit                  *sql.Stmt
	facts, spend                   *sql.Stmt
	command, entry, outcome, queue *sql.Stmt
	grants                         []any
	queuedEntries, queuedSubjects  []byte
}

// The settings are Keylend's.
const settings = "?_journal_mode=WAL&_synchronous=FULL&_cache_size=-32768&_foreign_keys=on&_secure_delete=on"

func openSqlite(path string, batch int) *sqlite {
	db, err := sql.Open("sqlite3", "file:"+path+settings)
	must(err)
	db.SetMaxOpenConns(1)
	exec := func(text string, args ...any) {
		_, err := db.Exec(text, args...)
		must(err)
	}
	exec("PRAGMA wal_autocheckpoint = 8192; PRAGMA temp_store = MEMORY")
	exec(`CREATE TEMP TABLE sampled AS SELECT * FROM commands WHERE status IN ('acknowledged', 'confirmed') AND grant_id IS NOT NULL
  GROUP BY grant_id LIMIT ?`, batch)
	// Two of each: the decision and the outcome.
	exec(`CREATE TEMP TABLE entries AS SELECT a.*, s.rowid AS place, ROW_NUMBER() OVER (PARTITION BY s.rowid ORDER BY a.entry_id) AS step
  FROM sampled s JOIN audit_entries a ON a.command_id = s.command_id AND a.organization_id = s.organization_id`)
	exec("CREATE INDEX temp.entries_by_place ON entries (place, step)")
	grants := list(db, "SELECT grant_id FROM sampled ORDER BY rowid")
	if len(grants) < batch {
		must(fmt.Errorf("the database has commands of %d grants; %d are needed", len(grants), batch))
	}
	commands := list(db, "SELECT name FROM pragma_table_info('commands')")
	entries := list(db, "SELECT name FROM pragma_table_info('audit_entries')")
	copiedCommand := others(texts(commands), "command_id", "idempotency_key")
	copiedEntry := others(texts(entries), "entry_id", "command_id")
	prepared := func(text string) *sql.Stmt {
		statement, err := db.Prepare(text)
		must(err)
		return statement
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", batch), ",")
	s := &sqlite{
		begin: prepared("BEGIN IMMEDIATE"), commit: prepared("COMMIT"), grants: grants,
		facts: prepared(`SELECT g.*, v.*, o.disabled_at, e.disabled_at FROM grants g JOIN vehicles v ON v.vehicle_id = g.vehicle_id
  JOIN users o ON o.user_id = v.owner_id JOIN users e ON e.user_id = g.grantee_id WHERE g.grant_id IN (` + marks + `)`),
		spend:   prepared("UPDATE grants SET uses = uses + 1 WHERE grant_id IN (" + marks + ")"),
		command: prepared("INSERT INTO commands (command_id, idempotency_key, " + copiedCommand + ") SELECT ?1, ?2, " + copiedCommand + " FROM sampled WHERE rowid = ?3"),
		entry: prepared("INSERT INTO audit_entries (entry_id, command_id, " + copiedEntry + ") SELECT ?1, ?2, " + copiedEntry +
			" FROM entries WHERE place = ?3 AND step = ?4"),
		outcome: prepared("UPDATE commands SET status = 'acknowledged', changed_at = ?2 WHERE command_id = ?1"),
		queue:   prepared("INSERT INTO record_queue (first_at, first_id, lowest, entries, subjects) VALUES (?1, ?2, ?2, ?3, ?4)"),
	}
	s.queuedEntries, s.queuedSubjects = queueRow(batch)
	return s
}

func list(db *sql.DB, text string) []any {
	rows, err := db.Query(text)
	must(err)
	defer rows.Close()
	var all []any
	for rows.Next() {
		var one any
		must(rows.Scan(&one))
		all = append(all, one)
	}
	must(rows.Err())
	return all
}

func texts(all []any) []string {
	converted := make([]string, len(all))
	for place, one := range all {
		converted[place] = fmt.Sprint(one)
	}
	return converted
}

func (s *sqlite) write(commands, before []uuid.UUID) error {
	now := time.Now().UnixMicro()
	if _, err := s.begin.Exec(); err != nil {
		return err
	}
	if err := s.read(); err != nil {
		return err
	}
	if _, err := s.spend.Exec(s.grants...); err != nil {
		return err
	}
	for place, command := range commands {
		if _, err := s.command.Exec(command[:], command.String(), place+1); err != nil {
			return err
		}
		if err := s.note(command, place, 1); err != nil {
			return err
		}
	}
	for place, command := range before {
		if _, err := s.outcome.Exec(command[:], now); err != nil {
			return err
		}
		if err := s.note(command, place, 2); err != nil {
			return err
		}
	}
	first := newID()
	if _, err := s.queue.Exec(now, first[:], s.queuedEntries, s.queuedSubjects); err != nil {
		return err
	}
	_, err := s.commit.Exec()
	return err
}

func (s *sqlite) note(command uuid.UUID, place, step int) error {
	entry := newID()
	_, err := s.entry.Exec(entry[:], command[:], place+1, step)
	return err
}

func (s *sqlite) read() error {
	rows, err := s.facts.Query(s.grants...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}
