// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// curl sends a request to the admin API and returns the answer, as curl would show it.
func (c *cloud) curl(method, path, body string) (status int, answer string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.host+adminPrefix+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

func TestAdmin(t *testing.T) {
	const ok = `{"ok":true}`
	type request struct {
		line string // method, path, body
		want string // with the status in front if it is not 200; "" = whatever, with 200
	}
	cases := map[string][]request{
		"a domain comes and goes": {
			{`POST /domains {"name":"new.example.com","kind":"ingest","account":"a"}`, ok},
			{`POST /mappings {"ingest":"new.example.com","streaming":"play.example.com"}`, ok},
			{`GET /domains`, `[{"name":"new.example.com","kind":"liveEdge","account":"a","streaming":"play.example.com"},` +
				`{"name":"play.example.com","kind":"liveVideo","account":"default"},` +
				`{"name":"push.example.com","kind":"liveEdge","account":"default","streaming":"play.example.com"}]`},
			{`DELETE /domains/new.example.com`, ok},
			{`GET /domains`, `[{"name":"play.example.com","kind":"liveVideo","account":"default"},` +
				`{"name":"push.example.com","kind":"liveEdge","account":"default","streaming":"play.example.com"}]`},
		},
		"a sub-streaming domain": {
			{`POST /domains {"name":"sub.example.com","kind":"streaming"}`, ok},
			{`POST /mappings {"play":"sub.example.com","streaming":"play.example.com","ingest":"push.example.com"}`,
				`400 {"error":"want ingest or play, not both"}`},
			{`POST /mappings {"play":"sub.example.com","streaming":"push.example.com"}`,
				`400 {"error":"\"push.example.com\" is not a known streaming domain"}`},
			{`POST /mappings {"play":"sub.example.com","streaming":"sub.example.com"}`,
				`400 {"error":"\"sub.example.com\" cannot be a sub-streaming domain of \"sub.example.com\""}`},
			{`POST /mappings {"play":"sub.example.com","streaming":"play.example.com"}`, ok},
			{`GET /domains`, `[{"name":"play.example.com","kind":"liveVideo","account":"default"},` +
				`{"name":"push.example.com","kind":"liveEdge","account":"default","streaming":"play.example.com"},` +
				`{"name":"sub.example.com","kind":"liveVideo","account":"default","playOf":"play.example.com"}]`},
		},
		"roles": {
			{`GET /accounts`, `[{"name":"default","accountID":"2537051134753320"}]`},
			{`GET /roles`, `[]`},
			{`POST /roles {"name":"r","externalIDs":["e1","e2"],"trustedAccounts":["a"],"maxSession":"1h"}`,
				`{"arn":"acs:ram::2537051134753320:role/r"}`},
			{`GET /roles`, `[{"account":"default","name":"r","externalIDs":["e1","e2"],"trustedAccounts":["a"],` +
				`"maxSession":"1h0m0s","arn":"acs:ram::2537051134753320:role/r"}]`},
			{`POST /roles {"name":"a/b"}`, `400 {"error":"role \"a/b\": want 1 to 64 letters, digits, ., _ or -"}`},
			{`POST /roles {"name":"r","maxSession":"59m"}`, `400 {"error":"maxSession 59m0s: want 1h0m0s to 12h0m0s"}`},
			{`POST /roles {"name":"r","externalIDs":["e"]}`,
				`400 {"error":"externalIDs: want 2 to 1224 letters, digits, or characters of _+=,.@:/-"}`},
			{`DELETE /roles/default/r`, ok},
			{`DELETE /roles/default/r`, ok},
			{`GET /roles`, `[]`},
		},
		"identity providers": {
			{`POST /oidc-providers {"account":"b","name":"p","issuer":"https://i","audiences":["a"],"subjects":["s"]}`, ""},
			{`POST /oidc-providers {"name":"p"}`, `{"arn":"acs:ram::2537051134753320:oidc-provider/p"}`},
			{`POST /oidc-providers {"name":""}`,
				`400 {"error":"provider \"\": want 1 to 128 letters, digits, ., _ or -"}`},
			{`DELETE /oidc-providers/b/p`, ok},
			{`GET /oidc-providers`,
				`[{"account":"default","name":"p","arn":"acs:ram::2537051134753320:oidc-provider/p"}]`},
			{`GET /sessions`, `[]`},
			{`DELETE /sessions`, ok},
		},
		"an application": {{`POST /apps {"appID":"app-2"}`, ok}},
		"a stream configuration is never shown with its key": {
			{`GET /configs/stream/push.example.com`, `404 {"error":"nothing is configured"}`},
			{`PUT /configs/stream/push.example.com {"notifyURL":"http://a","auth":true,"authKey":"0123456789abcdef"}`, ok},
			{`GET /configs/stream/push.example.com`, `{"notifyURL":"http://a","authKey":"***","auth":true}`},
			{`DELETE /configs/stream/push.example.com`, ok},
			{`GET /configs/stream/push.example.com`, `404 {"error":"nothing is configured"}`},
		},
		"a recording configuration is never shown with its key": {
			{`PUT /configs/record/play.example.com {"notifyURL":"http://a","auth":true,"authKey":"0123456789abcdef"}`, ok},
			{`GET /configs/record/play.example.com`, `{"notifyURL":"http://a","needStatusNotify":false,"auth":true,"authKey":"***"}`},
			{`DELETE /configs/record/play.example.com`, ok},
		},
		"a subscription": {
			{`PUT /configs/mpu/app-1 {"subID":"Sub-1","callbackURL":"http://a","createTime":"2026-01-02T03:04:05Z"}`, ok},
			{`GET /configs/mpu/app-1`, `{"subID":"Sub-1","callbackURL":"http://a","createTime":"2026-01-02T03:04:05Z"}`},
			{`DELETE /configs/mpu/app-1`, ok},
		},
		"records, newest first": {
			{`POST /records {"record":[{"domain":"play.example.com","type":"file_created","time":"2026-01-02T03:04:05Z"},` +
				`{"domain":"play.example.com","type":"record_error","time":"2026-01-02T03:04:04Z","result":"failed"}]}`, ok},
			{`GET /records/record/play.example.com`, `{"total":2,"records":[` +
				`{"time":"2026-01-02T03:04:05Z","domain":"play.example.com","type":"file_created","result":"success",` +
				`"description":"success","storage":"oss"},` +
				`{"time":"2026-01-02T03:04:04Z","domain":"play.example.com","type":"record_error","result":"failed",` +
				`"description":"failed","storage":"oss"}]}`},
			{`GET /records/stream/push.example.com`, `{"total":0,"records":[]}`},
			{`GET /records/mpu/app-1`, `{"total":0,"records":[]}`},
		},
		"a family there is not": {
			{`GET /records/studio/push.example.com`, `404 {"error":"family \"studio\": want one of audit, detect, event, mpu, record, snapshot, stream"}`},
			{`GET /configs/studio/push.example.com`, `404 {"error":"family \"studio\": want one of audit, detect, event, mpu, record, snapshot, stream"}`},
			{`GET /records/snapshot/live.example.com`, `404 {"error":"the cloud keeps no records of this family"}`},
		},
		"traffic": {
			{`POST /streams/start {"domain":"push.example.com","app":"a","stream":"s"}`, ok},
			{`POST /streams/start {"domain":"push.example.com","app":"a","stream":"s"}`,
				`400 {"error":"stream push.example.com/a/s is online already"}`},
			{`POST /streams/fail {"domain":"push.example.com","app":"a","stream":"s","reason":"r"}`, ok},
			{`POST /streams/switch {"domain":"push.example.com","app":"a","stream":"s"}`, ok},
			{`POST /streams/stop {"domain":"push.example.com","app":"a","stream":"s"}`, ok},
			{`POST /recordings {"domain":"play.example.com","app":"a","stream":"s","event":"file_created"}`, ok},
			{`POST /mpu-events {"appID":"app-1","channelID":"c"}`, ok},
			{`POST /records {"stream":[{"domain":"push.example.com","result":"failed"}],"mpu":[{"appID":"app-1"}]}`, ok},
			{`POST /wait`, ok},
		},
		"faults": {
			{`GET /faults`, `[]`},
			{`POST /faults {"action":"SetLiveStreamsNotifyUrlConfig","times":2,"latency":"1ms","code":"Throttling","retryAfter":"2s"}`,
				`{"id":1}`},
			{`GET /faults`, `[{"id":1,"left":2,"action":"SetLiveStreamsNotifyUrlConfig","times":2,"latency":"1ms",` +
				`"code":"Throttling","retryAfter":"2s"}]`},
			{`POST /faults {"drop":true}`, `{"id":2}`},
			{`DELETE /faults/1`, ok},
			{`DELETE /faults/1`, `404 {"error":"there is no such fault"}`},
			{`DELETE /faults`, ok},
			{`GET /faults`, `[]`},
			{`POST /faults {"action":"SetNothing"}`, `400 {"error":"action \"SetNothing\" is not an operation of the emulator"}`},
			{`POST /faults {"status":99}`, `400 {"error":"status 99: want 200 to 599"}`},
			{`POST /faults {"times":-1}`, `400 {"error":"times, latency and retryAfter cannot be negative"}`},
			{`POST /faults {"latency":5}`, `400 {"error":"request body: duration 5: want a string like \"1m30s\""}`},
			{`POST /faults {"latency":"soon"}`, `400 {"error":"request body: duration \"soon\": want a string like \"1m30s\""}`},
		},
		"switches": {
			{`PUT /switches {"streamDescribeAbsent":"missing","readDelay":"3s","streamSetMerges":true}`, ok},
			{`GET /switches`, `{"streamDescribeAbsent":"missing","streamSetMerges":true,"streamSetKeepsEmpty":false,` +
				`"streamSetExists":false,"streamDeleteAbsentNotFound":false,"streamKeyAsNumber":false,` +
				`"streamNotPushDomain":false,"recordUpdateMerges":false,"recordUpdateKeepsEmpty":false,` +
				`"mpuDescribeAbsentInvalid":false,` + newSwitches + `"acceptAnyKey":false,"emptyParameters":"","recordsOrder":"",` +
				`"maxPageSize":0,"clampPageSize":false,"mappingOmitsQueried":false,"followRedirects":false,"readDelay":"3s"}`},
			{`PUT /switches {"streamSetKeepsEmpty":true,"streamNotPushDomain":true,"recordUpdateKeepsEmpty":true,` +
				`"emptyParameters":"refused","recordsOrder":"shuffled","maxPageSize":50,"clampPageSize":true,` +
				`"mappingOmitsQueried":true,"followRedirects":true}`, ok},
			{`GET /switches`, `{"streamDescribeAbsent":"","streamSetMerges":false,"streamSetKeepsEmpty":true,` +
				`"streamSetExists":false,"streamDeleteAbsentNotFound":false,"streamKeyAsNumber":false,` +
				`"streamNotPushDomain":true,"recordUpdateMerges":false,"recordUpdateKeepsEmpty":true,` +
				`"mpuDescribeAbsentInvalid":false,` + newSwitches + `"acceptAnyKey":false,"emptyParameters":"refused","recordsOrder":"shuffled",` +
				`"maxPageSize":50,"clampPageSize":true,"mappingOmitsQueried":true,"followRedirects":true,"readDelay":"0s"}`},
			{`PUT /switches {"emptyParameters":"gone"}`,
				`400 {"error":"emptyParameters \"gone\": want value, missing or refused"}`},
			{`PUT /switches {"recordsOrder":"best"}`,
				`400 {"error":"recordsOrder \"best\": want newest, oldest or shuffled"}`},
			{`PUT /switches {"maxPageSize":-1}`, `400 {"error":"maxPageSize -1: want no less than 0"}`},
			{`PUT /switches {"streamDescribeAbsent":"gone"}`,
				`400 {"error":"streamDescribeAbsent \"gone\": want empty, missing or notfound"}`},
			{`PUT /switches {"readDelay":"-3s"}`, `400 {"error":"readDelay -3s: want no less than 0s"}`},
		},
		"what is not understood is refused": {
			{`POST /domains {"name":"a","type":"ingest"}`, `400 {"error":"request body: json: unknown field \"type\""}`},
			{`POST /domains {"name":"a","kind":"push"}`, `400 {"error":"domain kind \"push\": want ingest or streaming"}`},
			{`POST /domains {"kind":"ingest"}`, `400 {"error":"name is empty"}`},
			{`POST /apps {"appID":"a.b"}`, `400 {"error":"appID \"a.b\": want 1 to 64 letters, digits, _ or -"}`},
			{`POST /domains {"name":"a","kind":"ingest"}{}`, `400 {"error":"request body: want one JSON object"}`},
			{`POST /nothing {}`, `404 {"error":"no such request: GET /_emulator/ lists all"}`},
			{`POST /healthz {}`, `404 {"error":"no such request: GET /_emulator/ lists all"}`},
		},
		"the rest": {
			{`GET /healthz`, ok},
			{`DELETE /calls`, ok},
			{`GET /calls`, `{"total":0,"calls":[]}`},
			{`POST /reset`, ok},
			{`GET /`, ""},
		},
	}
	for name, requests := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, Options{Now: newClock().now})
			for _, rq := range requests {
				parts := append(strings.SplitN(rq.line, " ", 3), "")
				status, got := c.curl(parts[0], parts[1], parts[2])
				if status != http.StatusOK {
					got = fmt.Sprint(status, " ", got)
				}
				if got != rq.want && (rq.want != "" || status != http.StatusOK) {
					t.Errorf("%s:\n got %s\nwant %s", rq.line, got, rq.want)
				}
			}
		})
	}
}

// TestAdminListsEverything has each request in the list that GET / answers.
func TestAdminListsEverything(t *testing.T) {
	c := newCloud(t, Options{})
	_, text := c.curl("GET", "/", "")
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != len(adminRoutes()) || !strings.HasPrefix(list[1], "GET    /_emulator/healthz: ") {
		t.Errorf("list is %q", list)
	}
}

// TestAdminShowsNoSecret looks for keys and secrets in everything that the admin API answers to a GET.
func TestAdminShowsNoSecret(t *testing.T) {
	c := newCloud(t, Options{})
	c.post("SetLiveStreamsNotifyUrlConfig", "DomainName", push, "NotifyUrl", "http://127.0.0.1:1",
		"NotifyReqAuth", "yes", "NotifyAuthKey", authKey, "SecurityToken", authKey)
	c.post("AddLiveRecordNotifyConfig", "DomainName", play, "NotifyUrl", "http://127.0.0.1:1",
		"NotifyReqAuth", "true", "NotifyAuthKey", authKey)
	for _, path := range []string{
		"/", "/domains", "/configs/stream/" + push, "/configs/record/" + play, "/faults", "/calls", "/switches",
	} {
		status, text := c.curl("GET", path, "")
		if status != http.StatusOK || strings.Contains(text, authKey) || strings.Contains(text, keySecret) {
			t.Errorf("GET %s: %d %s", path, status, text)
		}
	}
	if c.Calls()[0].Params["NotifyAuthKey"] != authKey {
		t.Error("the Go API has the key in clear, for tests to look at")
	}
}

// TestAdminKeepsAKeyPutBack edits a configuration as a person with curl does: read, change, put.
func TestAdminKeepsAKeyPutBack(t *testing.T) {
	c := newCloud(t, Options{})
	c.SetStreamConfig(push, StreamConfig{NotifyURL: "http://old", Auth: true, AuthKey: authKey})
	c.SetRecordConfig(play, RecordConfig{NotifyURL: "http://old", Auth: true, AuthKey: authKey})
	for _, path := range []string{"/configs/stream/" + push, "/configs/record/" + play} {
		_, text := c.curl("GET", path, "")
		if status, answer := c.curl("PUT", path, strings.ReplaceAll(text, "old", "new")); status != http.StatusOK {
			t.Fatal(answer)
		}
	}
	stream, _ := c.StreamConfig(push)
	record, _ := c.RecordConfig(play)
	got := []any{stream, record}
	want := []any{
		StreamConfig{NotifyURL: "http://new", Auth: true, AuthKey: authKey},
		RecordConfig{NotifyURL: "http://new", Auth: true, AuthKey: authKey},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configurations (-want +got):\n%s", diff)
	}
}

// TestAdminDoesWhatItSays looks behind the answers.
func TestAdminDoesWhatItSays(t *testing.T) {
	c := newCloud(t, Options{})
	hook := newReceiver(t, answerOK)
	for _, rq := range [][2]string{
		{"/domains", `{"name":"new.example.com","kind":"streaming"}`},
		{"/apps", `{"appID":"app-2"}`},
		{"/records", `{"record":[{"domain":"new.example.com","type":"file_created"}]}`},
		{"/faults", `{"action":"DescribeRtcMPUEventSub","match":"app-2","code":"X","status":418,"message":"m"}`},
	} {
		if status, text := c.curl("POST", rq[0], rq[1]); status != http.StatusOK {
			t.Fatal(text)
		}
	}
	c.curl("PUT", "/configs/mpu/app-2", `{"callbackURL":"`+hook.URL+`"}`)
	c.curl("POST", "/mpu-events", `{"appID":"app-2","channelID":"c","count":3}`)
	c.curl("POST", "/wait", "")
	c.curl("PUT", "/switches", `{"readDelay":"1h"}`)
	total := c.post("DescribeLiveRecordNotifyRecords", "DomainName", "new.example.com", "PageSize", "1", "PageNumber", "1",
		"StartTime", c.now().Add(-time.Hour).UTC().Format(timeFormat),
		"EndTime", c.now().Add(time.Hour).UTC().Format(timeFormat)).body["TotalNum"]
	fault := c.post("DescribeRtcMPUEventSub", "AppId", "app-2")
	got := map[string]any{
		"domain and record": total,
		"fault":             []any{fault.status, fault.code(), fault.body["Message"]},
		"events":            len(hook.requests()),
		"delay":             c.Switches().ReadDelay,
	}
	want := map[string]any{
		"domain and record": 1.0, "fault": []any{418, "X", "m"}, "events": 3, "delay": time.Hour,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// newSwitches are those of the families without a switch that is on here.
const newSwitches = `"snapshotDescribeNotFound":false,"snapshotUpdateMerges":false,"snapshotDeleteNotFound":false,` +
	`"detectDeleteNotFound":false,"auditDescribeNotFound":false,"auditUpdateMerges":false,"auditUpdateKeepsEmpty":false,` +
	`"auditDeleteNotFound":false,"eventListNotFound":false,"eventTimesByMinute":false,"messageOmittedKept":false,`
