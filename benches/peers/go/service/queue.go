package main

import "context"

// An operation waits for the transaction that carries it out.
type operation struct {
	*command
	finishes bool // Or authorizes.
	verdict  error
	done     chan error
}

// queue gathers operations for group commit.
type queue chan *operation

func (q queue) authorize(ctx context.Context, c *command) error { return q.do(ctx, c, false) }
func (q queue) finish(ctx context.Context, c *command) error    { return q.do(ctx, c, true) }

func (q queue) do(ctx context.Context, c *command, finishes bool) error {
	o := &operation{command: c, finishes: finishes, done: make(chan error, 1)}
	select {
	case q <- o:
		return <-o.done
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take waits for one operation, and takes those that wait with it, at most `batch`.
func (q queue) take(batch int) []*operation {
	taken := []*operation{<-q}
	for len(taken) < batch {
		select {
		case o := <-q:
			taken = append(taken, o)
		default:
			return taken
		}
	}
	return taken
}

// work carries out what is in the queue, for ever.
func (q queue) work(batch int, transaction func([]*operation) error) {
	for {
		taken := q.take(batch)
		err := transaction(taken)
		for _, o := range taken {
			if err != nil {
				o.verdict = err
			}
			o.done <- o.verdict
		}
	}
}
