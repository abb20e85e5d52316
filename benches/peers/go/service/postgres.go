package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Each of the two transactions is one statement and one trip.
const (
	authorizeAll = `WITH g AS (
    UPDATE grants SET uses = uses + 1 FROM vehicles v
    WHERE grant_id = $1 AND grants.vehicle_id = $2 AND v.vehicle_id = $2 AND user_id = $3 AND revoked_at IS NULL AND suspended_at IS NULL
      AND not_before <= $4 AND $4 < not_after AND (uses_max IS NULL OR uses < uses_max)
      AND NOT EXISTS (SELECT 1 FROM commands WHERE user_id = $3 AND idempotency_key = $5)
    RETURNING v.path),
  c AS (INSERT INTO commands SELECT $6, $1, $2, $3, $5, $7, $8, $11, $4, $4 FROM g),
  a AS (INSERT INTO audit SELECT $9, $4, 'command.authorized', $6, $1, $2, $3, $10 FROM g)
  SELECT path FROM g`
	finishAll = `WITH c AS (` + change + ` RETURNING command_id, grant_id, vehicle_id, user_id)
  INSERT INTO audit SELECT $4, $3, $5, command_id, grant_id, vehicle_id, user_id, $6 FROM c`
	connections = 32
	// While one waits for the disk, the other gathers.
	writers = 2
)

// postgres gives each operation a connection.
type postgres struct{ *pgxpool.Pool }

// grouped does several operations in one trip and one commit.
type grouped struct {
	queue
	postgres
}

func openPostgres(url string, batch int) store {
	pool, err := pgxpool.New(context.Background(), url+"&pool_max_conns="+strconv.Itoa(connections))
	must(err)
	for text := range strings.SplitSeq(schema, ";") {
		_, err = pool.Exec(context.Background(), text)
		must(err)
	}
	if batch == 1 {
		return postgres{pool}
	}
	g := &grouped{make(queue, 4096), postgres{pool}}
	for range writers {
		go g.work(batch, g.transaction)
	}
	return g
}

func (p postgres) issue(ctx context.Context, grant, vehicle uuid.UUID, path string) error {
	_, first := p.Exec(ctx, addVehicle, vehicle, path)
	_, second := p.Exec(ctx, addGrant, grant, vehicle)
	return errors.Join(first, second)
}

func toAuthorize(c *command) []any {
	return []any{c.grant, c.vehicle, c.user, c.at, c.key, c.id, c.requestHash, c.action, newID(), c.details(), c.status}
}

func toFinish(c *command) []any {
	return []any{c.id, c.status, c.at, newID(), "command." + c.status, c.details()}
}

func (p postgres) authorize(ctx context.Context, c *command) error {
	err := p.QueryRow(ctx, authorizeAll, toAuthorize(c)...).Scan(&c.path)
	if err == nil {
		return nil
	}
	return p.unauthorized(ctx, c, err)
}

// unauthorized says why nothing was authorized: the key is known, or the grant does not allow it.
func (p postgres) unauthorized(ctx context.Context, c *command, err error) error {
	var known uuid.UUID
	var hash []byte
	var status string
	switch missing := p.QueryRow(ctx, find, c.user, c.key).Scan(&known, &hash, &status); {
	case missing == nil:
		return c.repeats(known, hash, status)
	case err == pgx.ErrNoRows && missing == pgx.ErrNoRows:
		return errRefused
	}
	return err
}

func (p postgres) finish(ctx context.Context, c *command) error {
	_, err := p.Exec(ctx, finishAll, toFinish(c)...)
	return err
}

func (g *grouped) authorize(ctx context.Context, c *command) error { return g.queue.authorize(ctx, c) }
func (g *grouped) finish(ctx context.Context, c *command) error    { return g.queue.finish(ctx, c) }

// transaction is a pipeline that PostgreSQL takes as one transaction; if it fails, each is done alone.
func (g *grouped) transaction(operations []*operation) error {
	ctx := context.Background()
	// In one order, or two transactions wait for each other's rows.
	slices.SortStableFunc(operations, func(a, b *operation) int { return bytes.Compare(a.grant[:], b.grant[:]) })
	var batch pgx.Batch
	for _, o := range operations {
		if o.finishes {
			batch.Queue(finishAll, toFinish(o.command)...)
		} else {
			batch.Queue(authorizeAll, toAuthorize(o.command)...).QueryRow(func(row pgx.Row) error {
				o.verdict = row.Scan(&o.path)
				return nil
			})
		}
	}
	failed := g.SendBatch(ctx, &batch).Close()
	for _, o := range operations {
		switch {
		case failed != nil && o.finishes:
			o.verdict = g.postgres.finish(ctx, o.command)
		case failed != nil:
			o.verdict = g.postgres.authorize(ctx, o.command)
		case o.verdict != nil:
			o.verdict = g.unauthorized(ctx, o.command, o.verdict)
		}
	}
	return nil
}
