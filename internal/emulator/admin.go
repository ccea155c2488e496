// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

const (
	adminPrefix = "/_emulator"
	// maxAdminBody leaves room for planting many records at once.
	maxAdminBody = 256 << 20
)

// route is one request of the admin API. It mirrors a method of Server.
type route struct {
	method, path, about string
	handle              func(*Server, *http.Request) (any, error)
}

// adminError is a refusal of the admin API.
type adminError struct {
	status  int
	message string
}

func (e adminError) Error() string { return e.message }

// adminRoutes are all requests of the admin API. It is a function since the first of them lists the others.
func adminRoutes() []route {
	return []route{
		{"GET", "", "list these requests", listRoutes},
		{"GET", "healthz", "answer ok", func(*Server, *http.Request) (any, error) { return okReply, nil }},
		{"GET", "domains", "list domains and what they are mapped to", listDomains},
		{"POST", "domains", `add a domain: {"name", "kind": "ingest"|"streaming", "account"}`, addDomain},
		{"DELETE", "domains/{name}", "remove a domain and all it has", removeDomain},
		{"POST", "mappings", `map a domain: {"ingest", "streaming"} or {"play", "streaming"}`, mapDomain},
		{"POST", "apps", `add an RTC application: {"appID", "account"}`, addApp},
		{"GET", "configs/{family}/{key}", "show a configuration; family is " + familyNames() + ", its key a domain or an application", getConfig},
		{"PUT", "configs/{family}/{key}", "change a configuration behind the back of the API", putConfig},
		{"DELETE", "configs/{family}/{key}", "remove a configuration behind the back of the API", deleteConfig},
		{"POST", "streams/start", `start a stream: {"domain", "app", "stream"}`, startStream},
		{"POST", "streams/stop", "stop a stream", stopStream},
		{"POST", "streams/fail", `report an exception: {"domain", "app", "stream", "reason"}`, failStream},
		{"POST", "streams/switch", "report a switch of a dual stream", switchStream},
		{"POST", "recordings", `report a recording: {"domain", "app", "stream", "event"}`, recordEvent},
		{"POST", "mpu-events", `emit relay events: {"appID", "channelID", "count"}`, emitMPU},
		{"POST", "snapshots", `report a snapshot: {"domain", "app", "stream"}`, takeSnapshot},
		{"PUT", "snapshot-jobs/{domain}", `replace the snapshot jobs of a domain: [{"app", "callback"}]`, setSnapshotJobs},
		{"POST", "reviews/video", `report a finding in a video: {"domain", "app", "stream"}`, reviewVideo},
		{"POST", "reviews/audio", `report a finding in the sound: {"domain", "app", "stream"}`, reviewAudio},
		{"POST", "events", `emit an event: {"appID", "channelID", "userID", "tag": "Open"|"Join"|...}`, emitEvent},
		{"GET", "message-apps", "list messaging applications", listMessageApps},
		{"POST", "message-apps", `add a messaging application: {"dataCenter", "appID", "account"}`, addMessageApp},
		{
			"PUT", "message-apps/{dataCenter}/{appID}/callback",
			`change an event callback behind the back of the API: {"url"}`, setMessageCallback,
		},
		{"POST", "message-events", `emit an event of a user: {"dataCenter", "appID", "userID", "event": 1|2|3|4}`, emitMessageEvent},
		{"POST", "records", `plant records: {"stream": [], "record": [], "mpu": [], "event": []}`, addRecords},
		{"GET", "records/{family}/{key}", "list the newest 100 callback records", listRecords},
		{"GET", "accounts", "list accounts and their numbers", listAccounts},
		{"GET", "roles", "list roles; an account without any has every role", listRoles},
		{"POST", "roles", `add a role: {"account", "name", "externalIDs", "trustedAccounts", "maxSession"}`, addRole},
		{"DELETE", "roles/{account}/{name}", "remove a role", removeRole},
		{"GET", "oidc-providers", "list identity providers; an account without any knows every one", listProviders},
		{
			"POST", "oidc-providers",
			`add an identity provider: {"account", "name", "issuer", "audiences", "subjects"}`, addProvider,
		},
		{"DELETE", "oidc-providers/{account}/{name}", "remove an identity provider", removeProvider},
		{"GET", "sessions", "list the access keys that the token service issued", listSessions},
		{"DELETE", "sessions", "make all of them expire", expireSessions},
		{"POST", "wait", "answer when no delivery is queued or in flight", wait},
		{"GET", "faults", "list active faults", listFaults},
		{"POST", "faults", `inject a fault: {"action", "match", "times", "latency", "code", ...}`, injectFault},
		{"DELETE", "faults", "clear all faults", clearFaults},
		{"DELETE", "faults/{id}", "clear one fault", removeFault},
		{"GET", "calls", "list calls to the cloud API, oldest first", listCalls},
		{"DELETE", "calls", "empty the call log", resetCalls},
		{"GET", "switches", "show the switches", getSwitches},
		{"PUT", "switches", "replace all switches; what is left out is the default", putSwitches},
		{"POST", "reset", "forget everything but domains, applications, keys and switches", reset},
	}
}

// adminHandler serves the admin API.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range adminRoutes() {
		path := rt.path
		if path == "" {
			path = "{$}"
		}
		mux.HandleFunc(rt.method+" "+adminPrefix+"/"+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxAdminBody)
			reply, err := rt.handle(s, r)
			if err != nil {
				status := http.StatusBadRequest
				if refusal, ok := errors.AsType[adminError](err); ok {
					status = refusal.status
				}
				writeJSON(w, status, fields{"error": err.Error()})
				return
			}
			writeJSON(w, http.StatusOK, reply)
		})
	}
	mux.HandleFunc(adminPrefix+"/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, fields{"error": "no such request: GET " + adminPrefix + "/ lists all"})
	})
	return mux
}

// okReply is the answer of requests that have nothing to tell.
var okReply = fields{"ok": true}

// body reads the JSON of a request, which must have no field that T has not.
func body[T any](r *http.Request) (v T, err error) {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return v, fmt.Errorf("request body: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return v, errors.New("request body: want one JSON object")
	}
	return v, nil
}

func listRoutes(*Server, *http.Request) (any, error) {
	var list []string
	for _, rt := range adminRoutes() {
		list = append(list, fmt.Sprintf("%-6s %s/%s: %s", rt.method, adminPrefix, rt.path, rt.about))
	}
	return list, nil
}

type domainBody struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Account   string `json:"account,omitempty"`
	Streaming string `json:"streaming,omitempty"` // only in answers
	PlayOf    string `json:"playOf,omitempty"`    // only in answers: the main domain of a sub-streaming domain
}

func listDomains(s *Server, _ *http.Request) (any, error) {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	list := []domainBody{}
	for _, name := range slices.Sorted(maps.Keys(s.registry.domains)) {
		d := s.registry.domains[name]
		list = append(list, domainBody{name, string(d.kind), d.account, s.registry.streaming[name], s.registry.mains[name]})
	}
	return list, nil
}

func addDomain(s *Server, r *http.Request) (any, error) {
	b, err := body[struct{ Name, Kind, Account string }](r)
	if err != nil {
		return nil, err
	}
	kind, err := ParseDomainKind(b.Kind)
	if err != nil {
		return nil, err
	}
	if b.Name == "" {
		return nil, errors.New("name is empty")
	}
	s.AddDomain(b.Account, b.Name, kind)
	return okReply, nil
}

func removeDomain(s *Server, r *http.Request) (any, error) {
	s.RemoveDomain(r.PathValue("name"))
	return okReply, nil
}

func mapDomain(s *Server, r *http.Request) (any, error) {
	b, err := body[struct{ Ingest, Streaming, Play string }](r)
	if err != nil {
		return nil, err
	}
	if b.Play != "" {
		if b.Ingest != "" {
			return nil, errors.New("want ingest or play, not both")
		}
		return okReply, s.MapPlayDomain(b.Streaming, b.Play)
	}
	return okReply, s.MapDomain(b.Ingest, b.Streaming)
}

func addApp(s *Server, r *http.Request) (any, error) {
	b, err := body[struct{ AppID, Account string }](r)
	if err != nil {
		return nil, err
	}
	if !mpuName.MatchString(b.AppID) {
		return nil, fmt.Errorf("appID %q: want 1 to 64 letters, digits, _ or -", b.AppID)
	}
	s.AddApp(b.Account, b.AppID)
	return okReply, nil
}

// streamBody names a stream, and what is to happen to it.
type streamBody struct{ Domain, App, Stream, Event, Reason string }

// onStream makes a handler of a method that does something to a stream.
func onStream(act func(*Server, streamBody) error) func(*Server, *http.Request) (any, error) {
	return func(s *Server, r *http.Request) (any, error) {
		b, err := body[streamBody](r)
		if err != nil {
			return nil, err
		}
		return okReply, act(s, b)
	}
}

var (
	startStream = onStream(func(s *Server, b streamBody) error { return s.StartStream(b.Domain, b.App, b.Stream) })
	stopStream  = onStream(func(s *Server, b streamBody) error { return s.StopStream(b.Domain, b.App, b.Stream) })
	failStream  = onStream(func(s *Server, b streamBody) error {
		return s.FailStream(b.Domain, b.App, b.Stream, b.Reason)
	})
	switchStream = onStream(func(s *Server, b streamBody) error { return s.SwitchStream(b.Domain, b.App, b.Stream) })
	recordEvent  = onStream(func(s *Server, b streamBody) error { return s.Record(b.Domain, b.App, b.Stream, b.Event) })
)

var (
	takeSnapshot = onStream(func(s *Server, b streamBody) error { return s.TakeSnapshot(b.Domain, b.App, b.Stream) })
	reviewVideo  = onStream(func(s *Server, b streamBody) error { return s.ReviewVideo(b.Domain, b.App, b.Stream) })
	reviewAudio  = onStream(func(s *Server, b streamBody) error { return s.ReviewAudio(b.Domain, b.App, b.Stream) })
)

func setSnapshotJobs(s *Server, r *http.Request) (any, error) {
	jobs, err := body[[]SnapshotJob](r)
	if err != nil {
		return nil, err
	}
	s.SetSnapshotJobs(r.PathValue("domain"), jobs)
	return okReply, nil
}

func emitEvent(s *Server, r *http.Request) (any, error) {
	b, err := body[struct{ AppID, ChannelID, UserID, Tag string }](r)
	if err != nil {
		return nil, err
	}
	return okReply, s.EmitEvent(b.AppID, b.ChannelID, b.UserID, b.Tag)
}

func listMessageApps(s *Server, _ *http.Request) (any, error) {
	list := s.MessageApps()
	for i := range list {
		mask(&list[i].AppKey)
	}
	return list, nil
}

func addMessageApp(s *Server, r *http.Request) (any, error) {
	b, err := body[MessageApp](r)
	if err != nil {
		return nil, err
	}
	return okReply, s.AddMessageApp(b)
}

func setMessageCallback(s *Server, r *http.Request) (any, error) {
	b, err := body[struct{ URL string }](r)
	if err != nil {
		return nil, err
	}
	return okReply, s.SetMessageCallback(r.PathValue("dataCenter"), r.PathValue("appID"), b.URL)
}

func emitMessageEvent(s *Server, r *http.Request) (any, error) {
	b, err := body[struct {
		DataCenter, AppID, UserID string
		Event                     int
	}](r)
	if err != nil {
		return nil, err
	}
	return okReply, s.EmitMessageEvent(b.DataCenter, b.AppID, b.UserID, b.Event)
}

func emitMPU(s *Server, r *http.Request) (any, error) {
	b, err := body[struct {
		AppID, ChannelID string
		Count            int
	}](r)
	if err != nil {
		return nil, err
	}
	return okReply, s.EmitMPU(b.AppID, b.ChannelID, max(1, b.Count))
}

func addRecords(s *Server, r *http.Request) (any, error) {
	b, err := body[Records](r)
	if err != nil {
		return nil, err
	}
	s.AddRecords(b)
	return okReply, nil
}

func wait(s *Server, _ *http.Request) (any, error) {
	s.Wait()
	return okReply, nil
}

// secretParams are the parameters that the admin API does not show, also those that the emulator ignores.
var secretParams = []string{"NotifyAuthKey", "AuthKey", "CallbackAuthKey"}

// callsBody is the call log, with keys masked.
type callsBody struct {
	Total int    `json:"total"`
	Calls []Call `json:"calls"`
}

func listCalls(s *Server, _ *http.Request) (any, error) {
	list := s.Calls()
	for i, call := range list {
		list[i].Params = maps.Clone(call.Params)
		for _, name := range secretParams {
			if call.Params[name] != "" {
				list[i].Params[name] = masked
			}
		}
	}
	return callsBody{Total: s.CallCount(), Calls: list}, nil
}

func resetCalls(s *Server, _ *http.Request) (any, error) {
	s.ResetCalls()
	return okReply, nil
}

func reset(s *Server, _ *http.Request) (any, error) {
	s.Reset()
	return okReply, nil
}

func getSwitches(s *Server, _ *http.Request) (any, error) {
	sw := s.Switches()
	return switchesBody{Switches: sw, ReadDelay: duration(sw.ReadDelay)}, nil
}

func putSwitches(s *Server, r *http.Request) (any, error) {
	b, err := body[switchesBody](r)
	if err != nil {
		return nil, err
	}
	sw := b.Switches
	sw.ReadDelay = b.ReadDelay.std()
	if err := sw.Validate(); err != nil {
		return nil, err
	}
	s.SetSwitches(sw)
	return okReply, nil
}

func listFaults(s *Server, _ *http.Request) (any, error) {
	list := []faultBody{}
	for _, f := range s.faults.list() {
		list = append(list, newFaultBody(f))
	}
	return list, nil
}

func injectFault(s *Server, r *http.Request) (any, error) {
	b, err := body[faultBody](r)
	if err != nil {
		return nil, err
	}
	f, err := b.fault()
	if err != nil {
		return nil, err
	}
	return fields{"id": s.Inject(f)}, nil
}

func clearFaults(s *Server, _ *http.Request) (any, error) {
	s.ClearFaults()
	return okReply, nil
}

func removeFault(s *Server, r *http.Request) (any, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || !s.faults.remove(id) {
		return nil, adminError{http.StatusNotFound, "there is no such fault"}
	}
	return okReply, nil
}
