// The unlock of Keylend as a good Go developer writes it without Keylend: verify the grant token, read the
// grant and the car, check them, spend a use, keep command and audit entry durably, send it to the
// vehicle cloud, keep the outcome. For `make bench`.
//
//	DB     postgres://… or sqlite:FILE
//	CLOUD  http://HOST:PORT of the vehicle cloud
//	CARS   a file of lines "access_token path owner_id": the cars there
//	KEYS   a file to write, lines "grant_token vehicle_id": a grant for each car
//	PORT   where to listen on 127.0.0.1
//	BATCH  at most so many operations in one transaction; 1 is a transaction for each
package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func main() {
	batch, err := strconv.Atoi(os.Getenv("BATCH"))
	must(err)
	var kept store
	if path, ok := strings.CutPrefix(os.Getenv("DB"), "sqlite:"); ok {
		kept = openSqlite(path, batch)
	} else {
		kept = openPostgres(os.Getenv("DB"), batch)
	}
	public, private, err := ed25519.GenerateKey(nil)
	must(err)
	s := &service{
		store:  kept,
		tokens: tokens{key: public},
		cloud:  newCloud(os.Getenv("CLOUD")),
	}
	s.cloud.accessToken, s.cloud.ownerID = prepare(kept, private)
	http.HandleFunc("POST /v1/commands", s.create)
	http.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

// prepare makes a grant for each car, writes their tokens, and returns the access token for the cloud and the id
// of the cars' owner there.
func prepare(kept store, private ed25519.PrivateKey) (accessToken, ownerID string) {
	lines, err := os.ReadFile(os.Getenv("CARS"))
	must(err)
	var keys strings.Builder
	for line := range strings.Lines(string(lines)) {
		words := strings.Fields(line)
		accessToken, ownerID = words[0], words[2]
		grant, vehicle := newID(), newID()
		must(kept.issue(context.Background(), grant, vehicle, words[1]))
		registered := jwt.RegisteredClaims{Subject: "guest", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour))}
		minted, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{grant, vehicle, registered}).SignedString(private)
		must(err)
		fmt.Fprintf(&keys, "%s %s\n", minted, vehicle)
	}
	must(os.WriteFile(os.Getenv("KEYS"), []byte(keys.String()), 0o600))
	return accessToken, ownerID
}
