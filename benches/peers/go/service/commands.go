package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

type command struct {
	id, grant, vehicle        uuid.UUID
	user, key, action, status string
	requestHash               []byte
	at                        int64  // Microseconds since 1970.
	path                      string // Of the car at the cloud.
}

func (c *command) details() string {
	return `{"action":"` + c.action + `","status":"` + c.status + `"}`
}

// repeats says what a request means whose idempotency key is known.
func (c *command) repeats(known uuid.UUID, requestHash []byte, status string) error {
	if !bytes.Equal(requestHash, c.requestHash) {
		return errKeyReused
	}
	c.id, c.status = known, status
	return errReplay
}

var (
	errRefused   = errors.New("refused")
	errKeyReused = errors.New("idempotency_key_reused")
	errReplay    = errors.New("replay")
)

// isVerdict is true for what is no failure of the database.
func isVerdict(err error) bool {
	return err == nil || err == errRefused || err == errKeyReused || err == errReplay
}

// store keeps everything; what returns without an error is durable.
type store interface {
	issue(ctx context.Context, grant, vehicle uuid.UUID, path string) error
	authorize(ctx context.Context, c *command) error
	finish(ctx context.Context, c *command) error
}

type service struct {
	store
	tokens tokens
	cloud  *cloud
}

func (s *service) create(w http.ResponseWriter, r *http.Request) {
	said, err := s.tokens.verify(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		reply(w, 401, answer{Code: "token_invalid"})
		return
	}
	var asked struct {
		Vehicle string `json:"vehicle_id"`
		Action  string `json:"action"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4096))
	key := r.Header.Get("Idempotency-Key")
	if err == nil {
		err = json.Unmarshal(body, &asked)
	}
	isAction := asked.Action == "lock" || asked.Action == "unlock"
	if err != nil || !isAction || key == "" || asked.Vehicle != said.Vehicle.String() {
		reply(w, 400, answer{Code: "invalid"})
		return
	}
	hash := sha256.Sum256(body)
	c := &command{
		id: newID(), grant: said.Grant, vehicle: said.Vehicle, user: said.Subject, key: key, action: asked.Action,
		status: "sending", requestHash: hash[:], at: time.Now().UnixMicro(),
	}
	// A client that goes away does not leave a command half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	err = s.authorize(ctx, c)
	if err == nil {
		c.status, c.at = s.cloud.send(ctx, c), time.Now().UnixMicro()
		err = s.finish(ctx, c)
	}
	switch err {
	case nil, errReplay:
		reply(w, 200, answer{Command: c.id.String(), Status: c.status, Vehicle: asked.Vehicle, Action: asked.Action})
	case errKeyReused:
		reply(w, 409, answer{Code: err.Error()})
	case errRefused:
		reply(w, 403, answer{Code: err.Error()})
	default:
		reply(w, 503, answer{Code: "unavailable"})
	}
}

type answer struct {
	Code    string `json:"code,omitempty"`
	Command string `json:"command_id,omitempty"`
	Status  string `json:"status,omitempty"`
	Vehicle string `json:"vehicle_id,omitempty"`
	Action  string `json:"action,omitempty"`
}

func reply(w http.ResponseWriter, status int, body answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
