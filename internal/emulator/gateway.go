// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// apiVersion is the version of the API of product live.
	apiVersion = "2016-11-01"
	// maxBody bounds the body of a request; all parameters together are far smaller.
	maxBody = 1 << 20
)

// operation is one action of the cloud API. Each family lists its own in a table.
type operation struct {
	action   string
	verbs    []string // HTTP methods
	limit    limit
	required []string // parameters that the gateway insists on; the first names what the call is about
	handle   func(*Server, *request) (fields, error)
}

// anyVerb is what the documentation allows for most operations. Some are for GET or for POST alone.
var (
	anyVerb  = []string{http.MethodGet, http.MethodPost}
	getOnly  = []string{http.MethodGet}
	postOnly = []string{http.MethodPost}
)

// served is an operation, and the version of the API that it belongs to.
type served struct {
	operation
	version string
}

// operations are all actions by their name, which no two products share. A further family adds its table here.
var operations = merged(
	ofVersion(apiVersion, streamOperations, recordingOperations, mpuOperations, mappingOperations, inventoryOperations,
		snapshotOperations, reviewOperations, eventOperations, messageOperations),
	ofVersion(tokenVersion, tokenOperations),
)

func ofVersion(version string, families ...[]operation) map[string]served {
	byAction := make(map[string]served)
	for _, op := range slices.Concat(families...) {
		byAction[op.action] = served{op, version}
	}
	return byAction
}

func merged(products ...map[string]served) map[string]served {
	byAction := make(map[string]served)
	for _, p := range products {
		maps.Copy(byAction, p)
	}
	return byAction
}

// request is what an operation gets to see of a call.
type request struct {
	account  string
	caller   caller
	params   params
	now      time.Time
	switches Switches
	stale    bool // an injected fault wants the state before the last write
}

// fields are the members of a successful answer, without RequestId.
type fields map[string]any

// message is a call as it came in, before anything is known to be right about it.
type message struct {
	http     *http.Request
	query    url.Values
	body     []byte
	action   string
	version  string
	keyID    string // whose access key the call names
	protocol params // parameters of the older protocol, where they are not headers
	params   params
	key      string // domain, application or role
}

// serveCloud answers one call to the cloud API and logs it.
func (s *Server) serveCloud(w http.ResponseWriter, r *http.Request) {
	msg, err := readMessage(w, r)
	who, _ := s.callerOf(msg.keyID)
	call := Call{
		Time: s.now(), Account: who.Account, Action: msg.action,
		Params: msg.params.logged(), Key: msg.key, RequestID: newUUID(),
	}
	fault, met := s.faults.take(msg.action, msg.key)
	call.Fault = met
	s.hold(r, fault.Latency)
	if fault.Drop {
		s.logCall(call)
		panic(http.ErrAbortHandler) // the way to make package http close the connection
	}
	if fault.Body != "" {
		call.Status = orStatus(fault.Status, http.StatusOK)
		s.logCall(call)
		w.WriteHeader(call.Status)
		_, _ = io.WriteString(w, fault.Body)
		return
	}

	var reply fields
	switch {
	case fault.Code != "" || fault.Status != 0:
		err = fault.apiError()
	case err == nil:
		reply, err = s.answer(msg, fault.Stale)
	}
	call.Status, call.Code = http.StatusOK, ""
	if err != nil {
		apiErr := asAPIError(err)
		call.Status, call.Code = apiErr.status, apiErr.code
	}
	s.logCall(call)
	if fault.LoseReply {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		writeError(w, r.Host, call.RequestID, asAPIError(err))
		return
	}
	out := fields{"RequestId": call.RequestID}
	maps.Copy(out, reply)
	writeJSON(w, http.StatusOK, out)
}

// readMessage takes a call apart. The message is usable for the call log even if there is an error.
func readMessage(w http.ResponseWriter, r *http.Request) (message, error) {
	msg := message{http: r, protocol: params{}, params: params{}}
	err := msg.readParams(w, r)
	msg.action = cmp.Or(r.Header.Get("x-acs-action"), msg.protocol["Action"])
	msg.version = cmp.Or(r.Header.Get("x-acs-version"), msg.protocol["Version"])
	msg.keyID = msg.protocol["AccessKeyId"]
	if auth, ok := parseAuthorization(r.Header.Get("Authorization")); ok {
		msg.keyID = auth.keyID
	}
	if op, ok := operations[msg.action]; ok && len(op.required) > 0 {
		msg.key = msg.params[op.required[0]]
	}
	return msg, err
}

// readParams reads the parameters in the query and in a form. Those of the older protocol are kept apart: they say how
// the call is made, and not what it is about.
func (msg *message) readParams(w http.ResponseWriter, r *http.Request) (err error) {
	if msg.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return errInvalidParam
	}
	if msg.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return errInvalidParam
	}
	form := url.Values{}
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t == "application/x-www-form-urlencoded" {
		if form, err = url.ParseQuery(string(msg.body)); err != nil {
			return errInvalidParam
		}
	}
	for _, values := range []url.Values{form, msg.query} { // the query wins
		for name, value := range values {
			if slices.Contains(protocolParams, name) {
				msg.protocol[name] = value[0]
			} else {
				msg.params[name] = value[0]
			}
		}
	}
	return nil
}

// answer passes a call through the checks of the gateway, in its order, and on to the operation.
func (s *Server) answer(msg message, stale bool) (fields, error) {
	now, switches := s.now(), s.Switches()
	op, err := msg.operation()
	if err != nil {
		return nil, err
	}
	given, err := msg.params.given(op.required, switches.EmptyParameters)
	if err != nil {
		return nil, err
	}
	var who caller
	if op.action == withoutKey {
		who.Account = s.accountOfRole(given["RoleArn"])
	} else if who, err = s.authenticate(msg, now); err != nil {
		return nil, err
	}
	if err := s.quotas.take(who.Account, op.action, op.limit, now); err != nil {
		return nil, err
	}
	return op.handle(s, &request{
		account: who.Account, caller: who, params: given, now: now, switches: switches, stale: stale,
	})
}

// operation finds the operation that the call names.
func (msg message) operation() (operation, error) {
	op, ok := operations[msg.action]
	if !ok || msg.version != op.version ||
		msg.http.URL.Path != "/" || !slices.Contains(op.verbs, msg.http.Method) {
		// A wrong verb is undocumented; the text of this error fits.
		return operation{}, errInvalidAPI
	}
	if msg.http.Header.Get("x-acs-action") == "" && !strings.EqualFold(msg.protocol["Format"], "JSON") {
		return operation{}, errFormat
	}
	return op.operation, nil
}

// hold waits until the latency of a fault is over, the caller is gone, or the server closes.
func (s *Server) hold(r *http.Request, latency time.Duration) {
	if latency <= 0 {
		return
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-s.closing.Done():
	}
}

// apiError is the error that the fault wants answered.
func (f Fault) apiError() apiError {
	err := serviceError(orStatus(f.Status, http.StatusBadRequest), f.Code, f.Message)
	err.retryAfter = f.RetryAfter
	return err
}

func orStatus(status, otherwise int) int {
	if status == 0 {
		return otherwise
	}
	return status
}

func (s *Server) logCall(call Call) {
	s.calls.add(call)
	s.log.Info("call", "action", call.Action, "key", call.Key, "account", call.Account,
		"status", call.Status, "code", call.Code, "requestID", call.RequestID)
}

func asAPIError(err error) apiError {
	if apiErr, ok := errors.AsType[apiError](err); ok {
		return apiErr
	}
	return errInternal
}

// errorBody is the body of every error. Errors of the service come without Recommend.
type errorBody struct {
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
	Code      string `json:"Code"`
	Message   string `json:"Message"`
	Recommend string `json:"Recommend,omitempty"`
}

func writeError(w http.ResponseWriter, host, requestID string, err apiError) {
	if ms := err.retryAfter.Milliseconds(); err.retryAfter > 0 {
		ms = max(1, ms)
		w.Header().Set("x-acs-retry-after", strconv.FormatInt(ms, 10))
		// The meaning of Reset is undocumented: it repeats TimeLeft.
		w.Header().Set("x-ratelimit-user-api",
			fmt.Sprintf("Limit:%d,Remain:0,TimeLeft:%d,Reset:%d", max(1, err.limit), ms, ms))
	}
	writeJSON(w, err.status, errorBody{
		RequestID: requestID, HostID: host, Code: err.code, Message: err.message, Recommend: err.recommend(),
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // URLs stay readable for people with curl
	if err := enc.Encode(body); err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text.String())
}
