package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

type claims struct {
	Grant, Vehicle uuid.UUID
	jwt.RegisteredClaims
}

// tokens verifies grant tokens, and remembers which it has verified, as Keylend does.
type tokens struct {
	key   ed25519.PublicKey
	mutex sync.RWMutex
	known map[[32]byte]*claims
}

const tokensKnownMax = 8192

func (t *tokens) verify(token string) (*claims, error) {
	digest := sha256.Sum256([]byte(token))
	t.mutex.RLock()
	known := t.known[digest]
	t.mutex.RUnlock()
	if known != nil {
		if !time.Now().Before(known.ExpiresAt.Time) {
			return nil, jwt.ErrTokenExpired
		}
		return known, nil
	}
	var said claims
	key := func(*jwt.Token) (any, error) { return t.key, nil }
	_, err := jwt.ParseWithClaims(token, &said, key, jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithExpirationRequired())
	if err != nil {
		return nil, err
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.known == nil || len(t.known) >= tokensKnownMax {
		t.known = map[[32]byte]*claims{}
	}
	t.known[digest] = &said
	return &said, nil
}
