// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/flags"
)

// defaultKey is the access key of an emulator that was given none.
var defaultKey = emulator.AccessKey{ID: "emulator", Secret: "emulator"}

// config is what the command line asks for.
type config struct {
	listen   string
	options  emulator.Options
	domains  []domainFlag
	mappings []mappingFlag
	plays    []playFlag
	roles    []emulator.Role
	apps     []string

	messageApps []emulator.MessageApp
	traffic     time.Duration
}

type domainFlag struct {
	name string
	kind emulator.DomainKind
}

type mappingFlag struct{ ingest, streaming string }

type playFlag struct{ streaming, play string }

var accountID = regexp.MustCompile(`^[0-9]{1,20}$`)

func parseFlags(args []string, usage io.Writer) (config, error) {
	var cfg config
	fs := flag.NewFlagSet("live-emulator", flag.ContinueOnError)
	fs.SetOutput(usage)
	fs.StringVar(&cfg.listen, "listen", "127.0.0.1:8090", "`address` to listen on; whoever reaches it may use the admin API")
	fs.Func("access-key",
		"access key `id:secret[:account[:accountID]]` that may call; repeatable; default emulator:emulator", cfg.addKey)
	fs.Float64Var(&cfg.options.QPSScale, "qps-scale", 1, "multiplies the documented call limits; 0 turns throttling off")
	fs.Func("throttle", "`model` of counting calls: fixed-window (default) or token-bucket", cfg.setThrottle)
	fs.Func("domain", "domain `name=ingest|streaming` that exists; repeatable", cfg.addDomain)
	fs.Func("map", "ingest and streaming domain that belong together, as `ingest=streaming`; repeatable", cfg.addMapping)
	fs.Func("map-play", "main and sub-streaming domain that belong together, as `streaming=play`; repeatable", cfg.addPlay)
	fs.Func("role", "role that may be assumed, as `name[=externalID]`; repeatable; default any", cfg.addRole)
	fs.Func("app", "`id` of an RTC application that exists; repeatable", cfg.addApp)
	fs.Func("message-app", "interactive-messaging application that exists, as `id[=dataCenter]`; repeatable", cfg.addMessageApp)
	fs.BoolVar(&cfg.options.RequireMapping, "require-mapping", false, "refuse to configure an ingest domain without mapping")
	fs.DurationVar(&cfg.traffic, "traffic", 0,
		"how often to start or stop a stream on each ingest domain, and to emit a recording and a relay event; 0 = never")

	addSwitches(fs, &cfg.options.Switches)
	if err := flags.Parse(fs, args); err != nil {
		return cfg, err
	}
	if len(cfg.options.AccessKeys) == 0 {
		cfg.options.AccessKeys = []emulator.AccessKey{defaultKey}
	}
	return cfg, cfg.options.Switches.Validate()
}

// addSwitches adds a flag for each switch.
func addSwitches(fs *flag.FlagSet, sw *emulator.Switches) {
	fs.StringVar(&sw.StreamDescribeAbsent, "stream-describe-absent", emulator.AbsentEmpty,
		"`answer` when a stream configuration is absent: empty, missing or notfound")
	fs.BoolVar(&sw.StreamSetMerges, "stream-set-merges", false, "stream Set keeps omitted fields")
	fs.BoolVar(&sw.StreamSetKeepsEmpty, "stream-set-keeps-empty", false,
		"stream Set keeps empty fields, too; needs --stream-set-merges")
	fs.BoolVar(&sw.StreamSetExists, "stream-set-exists", false, "stream Set refuses an existing configuration")
	fs.BoolVar(&sw.StreamDeleteAbsentNotFound, "stream-delete-absent-not-found", false,
		"stream Delete answers InvalidConfig.NotFound when nothing is configured")
	fs.BoolVar(&sw.StreamKeyAsNumber, "stream-key-as-number", false, "stream Describe returns an all-digit key as a number")
	fs.BoolVar(&sw.StreamNotPushDomain, "stream-not-push-domain", false,
		"stream Describe and Delete answer CodeNotPushDomain for a streaming domain")
	fs.BoolVar(&sw.RecordUpdateMerges, "record-update-merges", false, "recording Update keeps omitted fields")
	fs.BoolVar(&sw.RecordUpdateKeepsEmpty, "record-update-keeps-empty", false,
		"recording Update keeps empty fields, too; needs --record-update-merges")
	fs.BoolVar(&sw.MPUDescribeAbsentInvalid, "mpu-describe-absent-invalid", false,
		"relay subscription Describe answers InvalidParam when there is none")
	fs.BoolVar(&sw.SnapshotDescribeNotFound, "snapshot-describe-not-found", false,
		"snapshot Describe answers ConfigNotFound when nothing is configured")
	fs.BoolVar(&sw.SnapshotUpdateMerges, "snapshot-update-merges", false, "snapshot Update keeps omitted fields")
	fs.BoolVar(&sw.SnapshotDeleteNotFound, "snapshot-delete-not-found", false,
		"snapshot Delete answers ConfigNotFound when nothing is configured")
	fs.BoolVar(&sw.DetectDeleteNotFound, "detect-delete-not-found", false,
		"video-review Delete answers InvalidConfig.NotFound when nothing is configured")
	fs.BoolVar(&sw.AuditDescribeNotFound, "audit-describe-not-found", false,
		"audio-review Describe answers ConfigNotFound when nothing is configured")
	fs.BoolVar(&sw.AuditUpdateMerges, "audit-update-merges", false, "audio-review Update keeps omitted fields")
	fs.BoolVar(&sw.AuditUpdateKeepsEmpty, "audit-update-keeps-empty", false,
		"audio-review Update keeps empty fields, too; needs --audit-update-merges")
	fs.BoolVar(&sw.AuditDeleteNotFound, "audit-delete-not-found", false,
		"audio-review Delete answers ConfigNotFound when nothing is configured")
	fs.BoolVar(&sw.EventListNotFound, "event-list-not-found", false,
		"ListEventSub answers ResourceNotExist for an application without subscriptions")
	fs.BoolVar(&sw.EventTimesByMinute, "event-times-by-minute", false, "ListEventSubEvent cuts its times to the minute")
	fs.BoolVar(&sw.MessageOmittedKept, "message-omitted-kept", false,
		"ModifyLiveMessageAppCallback keeps a callback that is omitted")
	fs.DurationVar(&sw.ReadDelay, "read-delay", 0, "for how long Describe shows the state before a write")
	fs.BoolVar(&sw.AcceptAnyKey, "accept-any-key", false, "no rules for authentication keys")
	fs.StringVar(&sw.EmptyParameters, "empty-parameters", emulator.EmptyValue,
		"`what` a parameter sent empty is: value, missing or refused")
	fs.StringVar(&sw.RecordsOrder, "records-order", emulator.OrderNewest,
		"`order` of the callback records of a domain: newest, oldest or shuffled")
	fs.IntVar(&sw.MaxPageSize, "max-page-size", 0, "largest page of callback records; 0 = as documented")
	fs.BoolVar(&sw.ClampPageSize, "clamp-page-size", false, "a larger page becomes the largest instead of being refused")
	fs.BoolVar(&sw.MappingOmitsQueried, "mapping-omits-queried", false,
		"DescribeLiveDomainMapping leaves out the domain that is asked about")
	fs.BoolVar(&sw.FollowRedirects, "follow-redirects", false, "callbacks follow redirects")
}

func (cfg *config) addKey(value string) error {
	parts := strings.Split(value, ":")
	if len(parts) < 2 || len(parts) > 4 || parts[0] == "" || parts[1] == "" {
		return fmt.Errorf("want id:secret, id:secret:account or id:secret:account:accountID") // the value has a secret
	}
	key := emulator.AccessKey{ID: parts[0], Secret: parts[1]}
	if len(parts) > 2 {
		key.Account = parts[2]
	}
	if len(parts) > 3 {
		if !accountID.MatchString(parts[3]) {
			return fmt.Errorf("want an accountID of 1 to 20 digits")
		}
		key.AccountID = parts[3]
	}
	cfg.options.AccessKeys = append(cfg.options.AccessKeys, key)
	return nil
}

func (cfg *config) setThrottle(value string) (err error) {
	cfg.options.Throttle, err = emulator.ParseThrottleModel(value)
	return err
}

func (cfg *config) addDomain(value string) error {
	name, kind, ok := strings.Cut(value, "=")
	if !ok || name == "" {
		return fmt.Errorf("want name=ingest or name=streaming")
	}
	parsed, err := emulator.ParseDomainKind(kind)
	if err != nil {
		return err
	}
	cfg.domains = append(cfg.domains, domainFlag{name, parsed})
	return nil
}

func (cfg *config) addMapping(value string) error {
	ingest, streaming, ok := strings.Cut(value, "=")
	if !ok || ingest == "" || streaming == "" {
		return fmt.Errorf("want ingest=streaming")
	}
	cfg.mappings = append(cfg.mappings, mappingFlag{ingest, streaming})
	return nil
}

func (cfg *config) addPlay(value string) error {
	streaming, play, ok := strings.Cut(value, "=")
	if !ok {
		return fmt.Errorf("want streaming=play")
	}
	cfg.plays = append(cfg.plays, playFlag{streaming, play})
	return nil
}

func (cfg *config) addRole(value string) error {
	name, externalID, ok := strings.Cut(value, "=")
	role := emulator.Role{Name: name}
	if ok {
		role.ExternalIDs = []string{externalID}
	}
	cfg.roles = append(cfg.roles, role)
	return nil
}

func (cfg *config) addApp(value string) error {
	if value == "" {
		return errors.New("want the id of an application")
	}
	cfg.apps = append(cfg.apps, value)
	return nil
}

func (cfg *config) addMessageApp(value string) error {
	id, center, _ := strings.Cut(value, "=")
	if id == "" {
		return errors.New("want the id of an application, or id=dataCenter")
	}
	cfg.messageApps = append(cfg.messageApps, emulator.MessageApp{AppID: id, DataCenter: center})
	return nil
}

// setUp makes domains, roles and applications known to the emulator. They belong to the account of the first access key.
func (cfg *config) setUp(emu *emulator.Server) error {
	account := cfg.options.AccessKeys[0].Account
	for _, d := range cfg.domains {
		emu.AddDomain(account, d.name, d.kind)
	}
	for _, m := range cfg.mappings {
		if err := emu.MapDomain(m.ingest, m.streaming); err != nil {
			return err
		}
	}
	for _, p := range cfg.plays {
		if err := emu.MapPlayDomain(p.streaming, p.play); err != nil {
			return err
		}
	}
	for _, role := range cfg.roles {
		role.Account = account
		if err := emu.AddRole(role); err != nil {
			return err
		}
	}
	for _, app := range cfg.apps {
		emu.AddApp(account, app)
	}
	for _, app := range cfg.messageApps {
		app.Account = account
		if err := emu.AddMessageApp(app); err != nil {
			return err
		}
	}
	return nil
}
