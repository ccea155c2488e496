// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/live-20161101/v2/client"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// A configuration is set with the official SDK, and a stream makes its callback happen.
func Example() {
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("received", r.URL.Query().Get("action"), "of", r.URL.Query().Get("id"))
	}))
	defer receiver.Close()

	cloud := emulator.New(emulator.Options{
		AccessKeys: []emulator.AccessKey{{ID: "id", Secret: "secret"}},
	})
	defer cloud.Close()
	cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	endpoint := httptest.NewServer(cloud)
	defer endpoint.Close()

	client, err := sdk.NewClient(&utils.Config{
		AccessKeyId: new("id"), AccessKeySecret: new("secret"), RegionId: new("cn-shanghai"),
		Endpoint: new(strings.TrimPrefix(endpoint.URL, "http://")), Protocol: new("http"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.SetLiveStreamsNotifyUrlConfig(&sdk.SetLiveStreamsNotifyUrlConfigRequest{
		DomainName: new("push.example.com"), NotifyUrl: new(receiver.URL),
	}); err != nil {
		fmt.Println(err)
		return
	}
	if err := cloud.StartStream("push.example.com", "live", "demo"); err != nil {
		fmt.Println(err)
		return
	}
	cloud.Wait()
	// Output: received publish of demo
}
