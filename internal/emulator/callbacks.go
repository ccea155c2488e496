// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Events of a recording, in the words of the cloud's records.
const (
	eventFileCreated = "file_created"
	eventStarted     = "record_started"
	eventPaused      = "record_paused"
	eventResumed     = "record_resumed"
)

// recordEvents are all documented events. What the last three send is undocumented: the same as record_started.
var recordEvents = []string{
	eventFileCreated, eventStarted, eventPaused, eventResumed,
	"record_error", "record_force_transcode_fail", "transformat_error",
}

type streamID struct{ domain, app, stream string }

// onlineStream is a stream being pushed. It keeps the authentication key it started with: a changed key takes effect
// only for streams started afterwards.
type onlineStream struct{ authKey string }

// StartStream pushes a stream to an ingest domain: NotifyUrl gets publish, and OnDemandUrl of the streaming domain
// that the ingest domain is mapped to is asked whether to record. It does not wait for the answers.
func (s *Server) StartStream(domain, app, stream string) error {
	if err := s.checkDomain(domain, IngestDomain); err != nil {
		return err
	}
	id := streamID{domain, app, stream}
	c, configured := s.streamConfigs.current(domain)
	if err := s.putOnline(id, c.signingKey()); err != nil {
		return err
	}
	if configured {
		s.sendIngest(id, "publish", c.NotifyURL, c.signingKey())
	}
	if streaming, ok := s.registry.streamingOf(domain); ok {
		s.askOnDemand(streaming, app, stream)
	}
	return nil
}

// StopStream ends a stream: NotifyUrl gets publish_done. It does not wait for the answer.
func (s *Server) StopStream(domain, app, stream string) error {
	id := streamID{domain, app, stream}
	key, online := s.takeOffline(id)
	if !online {
		return fmt.Errorf("stream %s/%s/%s is not online", domain, app, stream)
	}
	if c, ok := s.streamConfigs.current(domain); ok {
		s.sendIngest(id, "publish_done", c.NotifyURL, key)
	}
	return nil
}

// FailStream reports an exception of a stream, which need not be online, to ExceptionNotifyUrl. The content of the
// callback is undocumented, and so is that it is signed like the others; it is not recorded.
func (s *Server) FailStream(domain, app, stream, reason string) error {
	return s.sendStreamEvent(streamID{domain, app, stream}, "exception", reason,
		func(c StreamConfig) string { return c.ExceptionNotifyURL })
}

// SwitchStream reports to SwitchNotifyUrl that a dual stream, which need not be online, switched to its other source.
// The content of the callback is undocumented; it is not recorded.
func (s *Server) SwitchStream(domain, app, stream string) error {
	return s.sendStreamEvent(streamID{domain, app, stream}, "switch", "",
		func(c StreamConfig) string { return c.SwitchNotifyURL })
}

// Record reports an event of a recording to NotifyUrl of a streaming domain: file_created, record_started and so on.
// Started, paused and resumed are sent only if NeedStatusNotify is set.
func (s *Server) Record(domain, app, stream, event string) error {
	if err := s.checkDomain(domain, StreamingDomain); err != nil {
		return err
	}
	if !slices.Contains(recordEvents, event) {
		return fmt.Errorf("event %q: want one of %s", event, strings.Join(recordEvents, ", "))
	}
	c, ok := s.recordConfigs.current(domain)
	isStatus := event == eventStarted || event == eventPaused || event == eventResumed
	if !ok || isStatus && !c.NeedStatusNotify {
		return nil
	}
	body := map[string]any{"domain": domain, "app": app, "stream": stream, "event": event}
	if event == eventFileCreated {
		body = s.recordedFile(domain, app, stream)
	}
	s.sendRecording(c, CallbackRecord{Domain: domain, App: app, Stream: stream, Type: event}, body)
	return nil
}

// EmitMPU sends n relay events of a channel to the subscription of an RTC application, unless it is for other channels.
func (s *Server) EmitMPU(appID, channelID string, n int) error {
	if _, ok := s.registry.app(appID); !ok {
		return fmt.Errorf("application %q is not known", appID)
	}
	sub, ok := s.mpuSubs.current(appID)
	if !ok || sub.ChannelIDs != "" && !slices.Contains(splitChannels(sub.ChannelIDs), channelID) {
		return nil
	}
	taskID := newUUID()
	for range n {
		s.sendMPU(appID, sub, taskID)
	}
	return nil
}

func (s *Server) checkDomain(name string, kind DomainKind) error {
	if d, ok := s.registry.domain(name); !ok || d.kind != kind {
		return fmt.Errorf("%q is not a known domain of kind %s", name, kind)
	}
	return nil
}

func (s *Server) putOnline(id streamID, authKey string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.online[id]; ok {
		return fmt.Errorf("stream %s/%s/%s is online already", id.domain, id.app, id.stream)
	}
	s.online[id] = onlineStream{authKey: authKey}
	return nil
}

func (s *Server) takeOffline(id streamID) (authKey string, online bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stream, online := s.online[id]
	delete(s.online, id)
	return stream.authKey, online
}

// keyOf returns the key that callbacks of a stream are signed with.
func (s *Server) keyOf(id streamID, c StreamConfig) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stream, ok := s.online[id]; ok {
		return stream.authKey
	}
	return c.signingKey()
}

// endStreams takes streams offline without a callback.
func (s *Server) endStreams(which func(streamID) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.online, func(id streamID, _ onlineStream) bool { return which(id) })
}

func anyStream(streamID) bool { return true }

// sendIngest tells the start or stop of a stream, as a GET with its facts in the query.
func (s *Server) sendIngest(id streamID, action, target, key string) {
	if target == "" {
		return
	}
	facts := map[string]string{
		"action":  action,
		"ip":      "127.0.0.1",
		"id":      id.stream,
		"app":     id.domain, // not the application: see appname
		"appname": id.app,
		"time":    strconv.FormatInt(s.now().Unix(), 10),
		"usrargs": "",
		"node":    "127.0.0.1",
	}
	if action == "publish" {
		facts["width"], facts["height"] = "1280", "720" // only the first callback of a stream has the size
	}
	record := CallbackRecord{
		Domain: id.domain, App: id.app, Stream: id.stream, Type: action, URL: target, Content: jsonText(facts),
	}
	s.sender.send(delivery{
		method: http.MethodGet,
		url:    withQuery(target, facts),
		header: authHeader(id.domain, key),
		done: func(out outcome) {
			s.logCallback(record, out)
			s.streamRecords.add(s.now(), []CallbackRecord{record.with(out)})
		},
	})
}

// sendStreamEvent posts an event of a stream that is not recorded.
func (s *Server) sendStreamEvent(id streamID, event, reason string, target func(StreamConfig) string) error {
	if err := s.checkDomain(id.domain, IngestDomain); err != nil {
		return err
	}
	c, ok := s.streamConfigs.current(id.domain)
	if !ok || target(c) == "" {
		return nil
	}
	body := map[string]any{
		"event": event, "domain": id.domain, "app": id.app, "stream": id.stream, "time": s.now().Unix(),
	}
	if reason != "" {
		body["reason"] = reason
	}
	record := CallbackRecord{Domain: id.domain, App: id.app, Stream: id.stream, Type: event, URL: target(c)}
	s.sender.send(delivery{
		method: http.MethodPost,
		url:    target(c),
		header: jsonHeader(authHeader(id.domain, s.keyOf(id, c))),
		body:   []byte(jsonText(body)),
		done:   func(out outcome) { s.logCallback(record, out) },
	})
	return nil
}

// askOnDemand asks the receiver of a streaming domain whether a stream that starts is to be recorded. Its answer is
// not used, since the emulator records only when it is told to. That the call is signed like the other callbacks of a
// recording is undocumented.
func (s *Server) askOnDemand(domain, app, stream string) {
	c, ok := s.recordConfigs.current(domain)
	if !ok || c.OnDemandURL == "" {
		return
	}
	record := CallbackRecord{Domain: domain, App: app, Stream: stream, Type: "on_demand", URL: c.OnDemandURL}
	s.sender.send(delivery{
		method: http.MethodGet,
		url: withQuery(c.OnDemandURL, map[string]string{
			"app": app, "domain": domain, "stream": stream, "vbitrate": "2000", "codec": "h264",
		}),
		header: authHeader(hostname(c.OnDemandURL), c.signingKey()),
		done:   func(out outcome) { s.logCallback(record, out) },
	})
}

// recordedFile is the content of a file_created callback.
func (s *Server) recordedFile(domain, app, stream string) map[string]any {
	const length = 30500 * time.Millisecond
	stop := s.now()
	start := stop.Add(-length)
	return map[string]any{
		"domain": domain, "app": app, "stream": stream,
		"uri":        fmt.Sprintf("%s/%s/%s.m3u8", app, stream, stop.UTC().Format("2006-01-02-15-04-05")),
		"duration":   length.Seconds(),
		"start_time": start.Unix(),
		"stop_time":  stop.Unix(),
		"push_args":  map[string]string{},
	}
}

func (s *Server) sendRecording(c RecordConfig, record CallbackRecord, body map[string]any) {
	record.URL, record.Content, record.Storage = c.NotifyURL, jsonText(body), storageOSS
	s.sender.send(delivery{
		method: http.MethodPost,
		url:    c.NotifyURL,
		header: jsonHeader(authHeader(hostname(c.NotifyURL), c.signingKey())),
		body:   []byte(record.Content),
		done: func(out outcome) {
			s.logCallback(record, out)
			s.recordRecords.add(s.now(), []CallbackRecord{record.with(out)})
		},
	})
}

func (s *Server) sendMPU(appID string, sub MPUSub, taskID string) {
	now := s.now().UnixMilli()
	msgID := newUUID()
	content := jsonText(map[string]any{
		"EventType": 1, "MsgId": msgID, "AppId": appID, "SubId": sub.SubID, "TaskId": taskID, "CallbackTs": now,
		"Payload": map[string]any{
			"DstUrl": "rtmp://push.example.com/app/stream", "EventTs": now,
			"EventCode": 1, "ErrorCode": 0, "ErrorMessage": "", // the codes are undocumented
		},
	})
	s.sender.send(delivery{
		method: http.MethodPost,
		url:    sub.CallbackURL,
		header: mpuHeader,
		body:   []byte(content),
		done: func(out outcome) {
			record := MPURecord{
				Time: out.time, AppID: appID, SubID: sub.SubID, MsgID: msgID, Data: content,
				CallbackURL: sub.CallbackURL, HTTPCode: out.status, Cost: out.cost,
			}
			if out.status == 0 {
				record.HTTPCode = NoAnswer
			}
			s.log.Info("callback", "type", "mpu", "app", appID, "result", out.result(), "description", out.description)
			s.mpuRecords.add(s.now(), []MPURecord{record})
		},
	})
}

// with returns the record with what became of the callback.
func (c CallbackRecord) with(out outcome) CallbackRecord {
	c.Time, c.Result, c.Description = out.time, out.result(), out.description
	c.Response, c.Header = out.response, out.header
	return c
}

func (s *Server) logCallback(c CallbackRecord, out outcome) {
	s.log.Info("callback", "type", c.Type, "domain", c.Domain, "app", c.App, "stream", c.Stream,
		"result", out.result(), "description", out.description)
}

// authHeader signs callbacks, if there is a key. domain is the ingest domain for callbacks of a stream, and the host
// of the callback URL, without its port, for those of a recording.
func authHeader(domain, key string) func(time.Time) http.Header {
	return func(at time.Time) http.Header {
		h := http.Header{}
		if key != "" {
			timestamp := strconv.FormatInt(at.Unix(), 10)
			h.Set("ALI-LIVE-TIMESTAMP", timestamp)
			h.Set("ALI-LIVE-SIGNATURE", callbackSignature(domain, timestamp, key))
		}
		return h
	}
}

// callbackSignature is weak by today's measure, and what the cloud documents.
func callbackSignature(domain, timestamp, key string) string {
	sum := md5.Sum([]byte(domain + "|" + timestamp + "|" + key))
	return hex.EncodeToString(sum[:])
}

func jsonHeader(header func(time.Time) http.Header) func(time.Time) http.Header {
	return func(at time.Time) http.Header {
		h := header(at)
		h.Set("Content-Type", "application/json")
		return h
	}
}

// mpuHeader leaves out Ali-Rtc-Signature, since its formula is undocumented and a receiver could only reject a guess.
func mpuHeader(at time.Time) http.Header {
	return http.Header{
		"Content-Type":      {"application/json; charset=utf-8"},
		"Ali-Rtc-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
	}
}

// messageHeader leaves out Ali-Live-Signature for the same reason.
func messageHeader(at time.Time) http.Header {
	return http.Header{
		"Content-Type":       {"application/json; charset=utf-8"},
		"Ali-Live-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
	}
}

// withQuery adds parameters to those that a URL has.
func withQuery(target string, facts map[string]string) string {
	values := url.Values{}
	for name, value := range facts {
		values.Set(name, value)
	}
	base, fragment, _ := strings.Cut(target, "#")
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
	}
	if fragment != "" {
		fragment = "#" + fragment
	}
	return base + separator + values.Encode() + fragment
}

func hostname(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only maps of strings and numbers come here
	}
	return string(text)
}
