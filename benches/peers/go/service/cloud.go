package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
)

// cloud is the vehicle cloud, API v3.
type cloud struct {
	client                    http.Client
	url, accessToken, ownerID string
}

func newCloud(url string) *cloud {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// The default keeps two idle connections to a host, and opens another one for nearly each request.
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 512, 512
	transport.DisableCompression = true
	return &cloud{client: http.Client{Transport: transport}, url: url}
}

// send sends the command once, and says what became of it.
func (c *cloud) send(ctx context.Context, asked *command) (status string) {
	request, err := http.NewRequestWithContext(ctx, "POST", c.url+asked.path+"/commands/security/"+asked.action, nil)
	if err != nil {
		return "failed"
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + c.accessToken},
		"Sc-User-Id":    {c.ownerID},
		"X-Request-Id":  {asked.id.String()},
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return "unknown"
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 500 {
		return "unknown"
	}
	var said struct {
		Data struct {
			Attributes struct{ Status struct{ Value string } }
		}
	}
	if json.Unmarshal(text, &said) != nil || answer.StatusCode != 200 || said.Data.Attributes.Status.Value != "SUCCESS" {
		return "failed"
	}
	return "acknowledged"
}
