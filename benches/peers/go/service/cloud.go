package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// cloud is the vehicle cloud, API v2.0.
type cloud struct {
	client           http.Client
	url, accessToken string
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
	body := strings.NewReader(`{"action":"` + strings.ToUpper(asked.action) + `"}`)
	request, err := http.NewRequestWithContext(ctx, "POST", c.url+asked.path, body)
	if err != nil {
		return "failed"
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + c.accessToken},
		"Content-Type":  {"application/json"},
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
	var said struct{ Status string }
	if json.Unmarshal(text, &said) != nil || answer.StatusCode != 200 || said.Status != "success" {
		return "failed"
	}
	return "acknowledged"
}
