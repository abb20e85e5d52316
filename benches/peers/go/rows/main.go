// The row work of Keylend's gate and nothing else, as a limit for `make bench`: it reads the facts of a batch of
// grants, spends their uses, and writes the commands, the outcomes of the batch before, both entries of each
// and the row of the queue, durably, in Keylend's own tables with all their indexes. Nothing is verified,
// decided, sent, sequenced or answered. Rows are copies of those that the service wrote, with new ids.
//
//	rows DATABASE_URL SECONDS BATCH    prints unlocks_per_s=N
//
// The service must have written some commands, and must not run.
package main

import (
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// limit writes batches into one of the databases.
type limit interface {
	// write makes these commands, and writes the outcomes of those before.
	write(commands, before []uuid.UUID) error
}

// For each entry of a queue's row: its time, organization, name and hash; and a count with two ids.
const (
	queuedBytes  = 72
	subjectBytes = 33
)

func queueRow(batch int) (entries, subjects []byte) {
	return make([]byte, 2*batch*queuedBytes), make([]byte, 2*batch*subjectBytes)
}

// others are the columns of a table that are copied as they are.
func others(columns []string, replaced ...string) string {
	kept := slices.DeleteFunc(slices.Clone(columns), func(name string) bool { return slices.Contains(replaced, name) })
	if len(kept)+len(replaced) != len(columns) {
		log.Fatalf("the table has no such columns: %v", replaced)
	}
	return strings.Join(kept, ", ")
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: rows DATABASE_URL SECONDS BATCH")
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	must(err)
	batch, err := strconv.Atoi(os.Args[3])
	must(err)
	var into limit
	if path, ok := strings.CutPrefix(os.Args[1], "sqlite:"); ok {
		into = openSqlite(path, batch)
	} else {
		into = openPostgres(os.Args[1], batch)
	}
	var before []uuid.UUID
	written := 0
	began := time.Now()
	for time.Since(began).Seconds() < seconds {
		commands := make([]uuid.UUID, batch)
		for place := range commands {
			commands[place] = newID()
		}
		must(into.write(commands, before))
		before = commands
		written += batch
	}
	fmt.Printf("unlocks_per_s=%.0f\n", float64(written)/time.Since(began).Seconds())
}
