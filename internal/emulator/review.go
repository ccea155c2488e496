// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http"
	"strconv"
	"strings"
)

// reviewOperations are the operations on the callbacks of video and audio review of a main streaming domain.
var reviewOperations = []operation{
	{"AddLiveDetectNotifyConfig", anyVerb, perSecond(30), []string{"DomainName", "NotifyUrl"}, detections.add},
	{"UpdateLiveDetectNotifyConfig", anyVerb, perSecond(30), []string{"DomainName", "NotifyUrl"}, detections.update},
	{"DescribeLiveDetectNotifyConfig", anyVerb, perSecond(50), []string{"DomainName"}, detections.show},
	{"DeleteLiveDetectNotifyConfig", anyVerb, perSecond(30), []string{"DomainName"}, detections.remove},
	{"AddLiveAudioAuditNotifyConfig", anyVerb, perSecond(10), []string{"DomainName"}, audits.add},
	{"UpdateLiveAudioAuditNotifyConfig", anyVerb, perSecond(10), []string{"DomainName"}, audits.update},
	{"DescribeLiveAudioAuditNotifyConfig", anyVerb, perSecond(10), []string{"DomainName"}, audits.show},
	{"DeleteLiveAudioAuditNotifyConfig", anyVerb, perSecond(10), []string{"DomainName"}, audits.remove},
}

var detections = plain[DetectConfig]{
	of:     func(s *Server) *configs[DetectConfig] { return &s.detectConfigs },
	exists: errConfigExists,
	absent: errConfigNotFound,
	apply: func(c *DetectConfig, r *request, merge merging) error {
		r.params.replaceIn(&c.NotifyURL, "NotifyUrl", merge)
		if !webURL(c.NotifyURL) {
			return errNotifyURL
		}
		return nil
	},
	merging:      func(Switches) merging { return merging{} },
	deleteAbsent: func(sw Switches) bool { return sw.DetectDeleteNotFound },
	describe: func(_ *request, domain string, c *DetectConfig) (fields, error) {
		if c == nil {
			return nil, errConfigNotFound
		}
		return fields{"LiveDetectNotifyConfig": fields{"DomainName": domain, "NotifyUrl": c.NotifyURL}}, nil
	},
}

var audits = plain[AuditConfig]{
	of:     func(s *Server) *configs[AuditConfig] { return &s.auditConfigs },
	exists: errConfigExisted,
	absent: errNoConfig,
	apply: func(c *AuditConfig, r *request, merge merging) error {
		r.params.replaceIn(&c.CallbackURL, "Callback", merge)
		r.params.replaceIn(&c.CallbackTemplate, "CallbackTemplate", merge)
		if !webURL(c.CallbackURL) {
			return errMalformedParam
		}
		return nil
	},
	merging: func(sw Switches) merging {
		return merging{keepAbsent: sw.AuditUpdateMerges, keepEmpty: sw.AuditUpdateKeepsEmpty}
	},
	deleteAbsent: func(sw Switches) bool { return sw.AuditDeleteNotFound },
	describe: func(r *request, domain string, c *AuditConfig) (fields, error) {
		list := []fields{}
		switch {
		case c == nil && r.switches.AuditDescribeNotFound:
			return nil, errNoConfig
		case c != nil:
			list = append(list, fields{"DomainName": domain, "Callback": c.CallbackURL, "CallbackTemplate": c.CallbackTemplate})
		}
		return fields{"LiveAudioAuditNotifyConfigList": fields{"LiveAudioAuditNotifyConfig": list}}, nil
	},
}

// ReviewVideo reports a finding in the video of a stream to NotifyUrl of a streaming domain. The content is undocumented.
func (s *Server) ReviewVideo(domain, app, stream string) error {
	if err := s.checkDomain(domain, StreamingDomain); err != nil {
		return err
	}
	if c, ok := s.detectConfigs.current(domain); ok {
		s.post(domain, app, stream, "detect", c.NotifyURL, "", map[string]any{
			"DomainName": domain, "AppName": app, "StreamName": stream, "Timestamp": s.now().Unix(),
			"Result": []any{map[string]any{"Scene": "porn", "Label": "porn", "Suggestion": "block", "Rate": 99.5}},
		})
	}
	return nil
}

// ReviewAudio reports a finding in the sound of a stream to the callback of a streaming domain: its template, in which
// values stand for the placeholders. That strings come in quotation marks is undocumented; without, it would not be JSON.
func (s *Server) ReviewAudio(domain, app, stream string) error {
	if err := s.checkDomain(domain, StreamingDomain); err != nil {
		return err
	}
	c, ok := s.auditConfigs.current(domain)
	if !ok {
		return nil
	}
	now := s.now().Unix()
	result := jsonText([]any{map[string]any{
		"scene": "antispam", "label": "ad", "suggestion": "block", "rate": 99.5,
		"details": []any{map[string]any{"startTime": now - 10, "endTime": now, "text": "buy now", "label": "ad"}},
	}})
	template := c.CallbackTemplate
	if template == "" { // what the cloud has then is undocumented: the sample of its page
		template = `{"domain":{DomainName},"app":{AppName},"stream":{StreamName},"timestamp":{Timestamp},"result":{Result}}`
	}
	content := strings.NewReplacer(
		"{DomainName}", jsonText(domain), "{AppName}", jsonText(app), "{StreamName}", jsonText(stream),
		"{Timestamp}", strconv.FormatInt(now, 10), "{Result}", result,
	).Replace(template)
	s.postText(domain, app, stream, "audit", c.CallbackURL, "", content)
	return nil
}

// post sends a callback of a streaming domain that is not recorded.
func (s *Server) post(domain, app, stream, kind, target, key string, body map[string]any) {
	s.postText(domain, app, stream, kind, target, key, jsonText(body))
}

func (s *Server) postText(domain, app, stream, kind, target, key, content string) {
	record := CallbackRecord{Domain: domain, App: app, Stream: stream, Type: kind, URL: target}
	s.sender.send(delivery{
		method: http.MethodPost,
		url:    target,
		header: jsonHeader(authHeader(hostname(target), key)),
		body:   []byte(content),
		done:   func(out outcome) { s.logCallback(record, out) },
	})
}
