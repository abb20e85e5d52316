// The main job with a client that oapi-codegen makes of openapi.yaml.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"keylend.example/clients/api"
)

func as(token string) *api.ClientWithResponses {
	show := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	client, err := api.NewClientWithResponses(os.Getenv("KEYLEND_URL"), api.WithRequestEditorFn(show))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// done gives what was answered, or ends the program with what was answered instead.
func done[T any](value *T, err error, body []byte) *T {
	if err != nil || value == nil {
		log.Fatalf("%v: %s", err, body)
	}
	return value
}

func moment(name string) time.Time {
	at, err := time.Parse(time.RFC3339, os.Getenv(name))
	if err != nil {
		log.Fatal(err)
	}
	return at
}

func main() {
	ctx := context.Background()
	owner, guest := as(os.Getenv("OWNER_TOKEN")), as(os.Getenv("GUEST_TOKEN"))

	limit := int32(1)
	listed, err := owner.VehiclesListWithResponse(ctx, &api.VehiclesListParams{Limit: &limit})
	car := done(listed.JSON200, err, listed.Body).Data[0].VehicleId

	issued, err := owner.GrantsIssueWithResponse(ctx, &api.GrantsIssueParams{IdempotencyKey: rand.Text()}, api.IssueGrant{
		VehicleId:    car,
		GranteeId:    os.Getenv("GUEST_ID"),
		Entitlements: []api.Entitlement{api.EntitlementUnlock, api.EntitlementLock, api.EntitlementReadLockStatus},
		NotBefore:    moment("NOT_BEFORE"),
		NotAfter:     moment("NOT_AFTER"),
		Metadata:     &api.FreeMap{"booking": "B-1"},
	})
	lent := done(issued.JSON201, err, issued.Body)
	minted, err := guest.GrantsTokenWithResponse(ctx, lent.GrantId, nil, api.Nothing{})
	key := as(done(minted.JSON200, err, minted.Body).GrantToken)

	unlock := func() (*api.CommandsCreateResponse, error) {
		command := api.CreateCommand{VehicleId: car, Action: api.ActionUnlock}
		return key.CommandsCreateWithResponse(ctx, &api.CommandsCreateParams{IdempotencyKey: rand.Text()}, command)
	}
	first, err := unlock()
	unlocked := done(first.JSON200, err, first.Body)
	read, err := key.VehiclesReadWithResponse(ctx, car, api.VehiclesReadParamsObservableLockStatus, nil)
	reading, err := done(read.JSON200, err, read.Body).AsLockStatusReading()
	if err != nil {
		log.Fatal(err)
	}
	drain := api.Drain
	revoked, err := owner.GrantsRevokeWithResponse(ctx, lent.GrantId, &api.GrantsRevokeParams{Wait: &drain}, api.RevokeGrant{})
	ended := done(revoked.JSON200, err, revoked.Body)
	second, err := unlock()
	refused := done(second.ApplicationproblemJSON4XX, err, second.Body)

	said, err := json.Marshal(map[string]any{
		"booking":    (*lent.Metadata)["booking"],
		"unlocked":   unlocked.Status,
		"is_locked":  reading.IsLocked,
		"end_reason": ended.EndReason,
		"refused":    refused.Code,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(said))
}
