package main

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	_ "github.com/mattn/go-sqlite3"
)

// sqlite has one writer, on one connection, with prepared statements.
type sqlite struct {
	queue
	db *sql.DB

	begin, commit, rollback                  *sql.Stmt
	find, read, spend, insert, change, audit *sql.Stmt
}

func openSqlite(path string, batch int) *sqlite {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_cache_size=-32768&_foreign_keys=on")
	must(err)
	db.SetMaxOpenConns(1)
	_, err = db.Exec(schema + `; PRAGMA wal_autocheckpoint = 8192; PRAGMA temp_store = MEMORY`)
	must(err)
	prepared := func(text string) *sql.Stmt {
		statement, err := db.Prepare(text)
		must(err)
		return statement
	}
	s := &sqlite{
		queue: make(queue, 4096), db: db,
		begin: prepared("BEGIN IMMEDIATE"), commit: prepared("COMMIT"), rollback: prepared("ROLLBACK"),
		find: prepared(find), change: prepared(change),
		read: prepared(`SELECT path FROM grants JOIN vehicles USING (vehicle_id) WHERE grant_id = $1 AND vehicle_id = $2 AND user_id = $3
  AND revoked_at IS NULL AND suspended_at IS NULL AND not_before <= $4 AND $4 < not_after AND (uses_max IS NULL OR uses < uses_max)`),
		spend:  prepared(`UPDATE grants SET uses = uses + 1 WHERE grant_id = $1`),
		insert: prepared(`INSERT INTO commands VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`),
		audit:  prepared(`INSERT INTO audit VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`),
	}
	go s.work(batch, s.transaction)
	return s
}

func (s *sqlite) issue(_ context.Context, grant, vehicle uuid.UUID, path string) error {
	_, first := s.db.Exec(addVehicle, vehicle[:], path)
	_, second := s.db.Exec(addGrant, grant[:], vehicle[:])
	return errors.Join(first, second)
}

func (s *sqlite) transaction(operations []*operation) error {
	if _, err := s.begin.Exec(); err != nil {
		return err
	}
	for _, o := range operations {
		if o.finishes {
			o.verdict = s.settled(o.command)
		} else {
			o.verdict = s.authorized(o.command)
		}
		if !isVerdict(o.verdict) {
			_, undone := s.rollback.Exec()
			return errors.Join(o.verdict, undone)
		}
	}
	_, err := s.commit.Exec()
	if err != nil {
		s.rollback.Exec()
	}
	return err
}

// authorized writes nothing if it refuses.
func (s *sqlite) authorized(c *command) error {
	var known, hash []byte
	var status string
	switch err := s.find.QueryRow(c.user, c.key).Scan(&known, &hash, &status); err {
	case nil:
		return c.repeats(uuid.UUID(known), hash, status)
	case sql.ErrNoRows:
	default:
		return err
	}
	switch err := s.read.QueryRow(c.grant[:], c.vehicle[:], c.user, c.at).Scan(&c.path); err {
	case nil:
	case sql.ErrNoRows:
		return errRefused
	default:
		return err
	}
	if _, err := s.spend.Exec(c.grant[:]); err != nil {
		return err
	}
	_, err := s.insert.Exec(c.id[:], c.grant[:], c.vehicle[:], c.user, c.key, c.requestHash, c.action, c.status, c.at)
	if err != nil {
		return err
	}
	return s.audited(c, "command.authorized")
}

func (s *sqlite) settled(c *command) error {
	if _, err := s.change.Exec(c.id[:], c.status, c.at); err != nil {
		return err
	}
	return s.audited(c, "command."+c.status)
}

func (s *sqlite) audited(c *command, event string) error {
	entry := newID()
	_, err := s.audit.Exec(entry[:], c.at, event, c.id[:], c.grant[:], c.vehicle[:], c.user, c.details())
	return err
}
